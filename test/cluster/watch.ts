/**
 * A real Prometheus beside a test cluster's node: it scrapes the endpoints that the API server has for neardns's metrics Service, over the
 * node's network and with the labels that a ServiceMonitor brings, and evaluates the alerts of manifests/monitoring. Debian's Prometheus is
 * built without the discovery of Kubernetes, so the endpoints are read here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/process.ts'
import { type ActiveAlert, Prometheus, type Target } from '../watch/prometheus.ts'
import { impatient, monitoring, ownRules } from '../watch/rules.ts'
import type { Cluster } from './cluster.ts'
import type { Lab } from './lab.ts'

/** Long enough for a rate over the fastest window, and for an alert that waits a second. */
const watchMs = 20_000

export interface Watched {
  /** `up` of each pod that was found. */
  readonly up: readonly number[]
  /** Queries a second that the scraped daemon counts, over the last seconds. */
  readonly queriesPerSecond: number
  readonly alerts: readonly ActiveAlert[]
  readonly ruleErrors: readonly string[]
}

export async function watchNode({ cluster }: Lab): Promise<Watched> {
  await cluster.kubectl.apply(readFileSync(join(monitoring, 'service.yaml'), 'utf8'), 'kube-system')
  const prometheus = await Prometheus.start({
    netns: cluster.node.places.nodeNs,
    rules: [impatient(ownRules())],
    targets: await targets(cluster),
  })
  try {
    const up = () => prometheus.query('up{job="neardns"}')
    await until('a pod is scraped', async () => (await up()).some(({ value }) => value === 1), {
      timeoutMs: 30_000,
    })
    await new Promise((resolve) => setTimeout(resolve, watchMs))
    const [rate] = await prometheus.query('sum(rate(coredns_dns_requests_total[10s]))')
    return {
      up: (await up()).map(({ value }) => value),
      queriesPerSecond: rate?.value ?? 0,
      alerts: await prometheus.alerts(),
      ruleErrors: await prometheus.ruleErrors(),
    }
  } finally {
    await prometheus.stop()
  }
}

interface SliceList {
  readonly items: readonly {
    readonly endpoints: readonly {
      readonly addresses: readonly string[]
      readonly nodeName: string
      readonly targetRef: { readonly name: string }
    }[]
  }[]
}

async function targets({ kubectl }: Cluster): Promise<Target[]> {
  const label = 'kubernetes.io/service-name=neardns-metrics'
  const read = async () => {
    const args = ['-n', 'kube-system', 'get', 'endpointslices', '-l', label, '-o', 'json']
    const { items } = JSON.parse(await kubectl.run(args)) as SliceList
    return items.flatMap(({ endpoints }) => endpoints)
  }
  await until('the Service has endpoints', async () => (await read()).length > 0)
  return (await read()).map(({ addresses, nodeName, targetRef }) => ({
    address: `${addresses[0]}:9253`,
    labels: { job: 'neardns', namespace: 'kube-system', pod: targetRef.name, node: nodeName },
  }))
}
