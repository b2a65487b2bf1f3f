/**
 * A real Prometheus beside a test cluster's node: it finds neardns's pod through the API server, as the ServiceMonitor has the operator's
 * Prometheus find it, scrapes it over the node's network and evaluates the alerts of manifests/monitoring.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/process.ts'
import { type ActiveAlert, Prometheus } from '../watch/prometheus.ts'
import { impatient, monitoring, ownRules } from '../watch/rules.ts'
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
  const { nodeNs, state } = cluster.node.places
  const prometheus = await Prometheus.start({
    netns: nodeNs,
    rules: [impatient(ownRules())],
    scrapes: [discovery(join(state, 'admin.kubeconfig'))],
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

/** What the operator makes of the ServiceMonitor: endpoints of the Service, with the labels that it attaches. */
function discovery(kubeconfig: string): object {
  const label = (source: string, target: string) => ({
    source_labels: [source],
    target_label: target,
  })
  return {
    job_name: 'neardns',
    kubernetes_sd_configs: [
      { role: 'endpoints', kubeconfig_file: kubeconfig, namespaces: { names: ['kube-system'] } },
    ],
    relabel_configs: [
      {
        source_labels: ['__meta_kubernetes_service_name'],
        regex: 'neardns-metrics',
        action: 'keep',
      },
      label('__meta_kubernetes_namespace', 'namespace'),
      label('__meta_kubernetes_pod_name', 'pod'),
      label('__meta_kubernetes_pod_node_name', 'node'),
    ],
  }
}
