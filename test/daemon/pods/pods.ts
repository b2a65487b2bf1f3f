/** Pods as the Kubernetes API writes them, of one node. */
import type { KubeObject } from '../../support/world/kube-world.ts'

export interface PodOf {
  readonly ip?: string
  readonly ips?: readonly string[]
  readonly uid?: string
  readonly startMs?: number
  readonly phase?: string
  readonly hostNetwork?: boolean
}

/** @param place as `namespace/name` */
export function podOf(place: string, of: PodOf = {}): KubeObject {
  const [namespace = '', name = ''] = place.split('/')
  const { ip, ips = ip === undefined ? [] : [ip], uid = place, startMs = 1000 } = of
  const { phase = 'Running', hostNetwork } = of
  const metadata: KubeObject['metadata'] & { uid: string } = { name, namespace, uid }
  return {
    metadata,
    spec: { nodeName: 'node-7', ...(hostNetwork !== undefined && { hostNetwork }) },
    status: {
      ...{ phase, startTime: new Date(startMs).toISOString() },
      ...(ips[0] !== undefined && { podIP: ips[0], podIPs: ips.map((one) => ({ ip: one })) }),
    },
  }
}
