/**
 * Goal: what ServiceMonitor and PodMonitor make of a pod is a target that can be scraped, with the labels that rules and dashboard select.
 * Method: a real Prometheus gets their relabelings and targets with the labels that service discovery would attach. What the
 * operator puts before them is left out: its rules on selectors and ports were read in its source.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { type Discovered, Prometheus } from './prometheus.ts'
import { monitoring } from './rules.ts'

const test = needing(suite('watch/monitors'), 'prometheus')

/** As the operator's objects have it. */
interface Relabeling {
  readonly sourceLabels?: readonly string[]
  readonly regex?: string
  readonly targetLabel?: string
  readonly replacement?: string
  readonly action?: string
}

interface Pod {
  readonly container: string
  readonly ip: string
}

test('the PodMonitor adds the port to IPv4 and IPv6 addresses, and takes the daemon alone', async () => {
  type Monitor = { spec: { podMetricsEndpoints: { relabelings: Relabeling[] }[] } }
  const [endpoint] = read<Monitor>('podmonitor/podmonitor.yaml').spec.podMetricsEndpoints
  const pods = [
    { container: 'neardns', ip: '127.0.0.1' },
    { container: 'neardns', ip: '::1' },
    { container: 'an-init-container', ip: '127.0.0.1' },
  ]
  // Without a declared port the address is the pod's alone.
  const targets = pods.map((pod) => discovered(pod.ip.includes(':') ? `[${pod.ip}]` : pod.ip, pod))
  const found = await targetsOf(endpoint?.relabelings ?? [], targets, 2)
  assert.equal(found.map(({ scrapeUrl }) => scrapeUrl).sort(), [
    'http://127.0.0.1:9253/metrics',
    'http://[::1]:9253/metrics',
  ])
  for (const { labels } of found) assert.equal(wantedLabels(labels), wanted)
})

test('the ServiceMonitor leaves the address of the endpoint as it is', async () => {
  type Monitor = { spec: { endpoints: { relabelings: Relabeling[] }[] } }
  const [endpoint] = read<Monitor>('servicemonitor.yaml').spec.endpoints
  const pod = { container: 'neardns', ip: '127.0.0.1' }
  const found = await targetsOf(endpoint?.relabelings ?? [], [discovered('127.0.0.1:9253', pod)], 1)
  assert.equal(
    found.map(({ scrapeUrl }) => scrapeUrl),
    ['http://127.0.0.1:9253/metrics'],
  )
  for (const { labels } of found) assert.equal(wantedLabels(labels), wanted)
})

const wanted = { job: 'neardns', node: 'node-1', k8s_app: 'node-local-dns' }

function wantedLabels({ job, node, k8s_app }: Discovered['labels']) {
  return { job, node, k8s_app }
}

function discovered(address: string, { container, ip }: Pod): object {
  return {
    targets: [address],
    labels: {
      __meta_kubernetes_pod_container_name: container,
      __meta_kubernetes_pod_ip: ip,
      __meta_kubernetes_pod_node_name: 'node-1',
    },
  }
}

async function targetsOf(
  relabelings: readonly Relabeling[],
  targets: readonly object[],
  count: number,
): Promise<readonly Discovered[]> {
  const scrape = {
    job_name: 'podMonitor/kube-system/neardns/0',
    metrics_path: '/metrics',
    static_configs: targets,
    relabel_configs: relabelings.map(inPrometheus),
  }
  const prometheus = await Prometheus.start({ scrapes: [scrape] })
  try {
    let found: readonly Discovered[] = []
    const areThere = async () => {
      found = await prometheus.targets()
      return found.length >= count
    }
    // Service discovery is gathered for five seconds.
    await until('targets', areThere, { timeoutMs: 20_000, everyMs: 200 })
    return found
  } finally {
    await prometheus.stop()
  }
}

/** Prometheus's own spelling. */
function inPrometheus(relabeling: Relabeling): object {
  const { sourceLabels, targetLabel, ...same } = relabeling
  return {
    ...same,
    ...(sourceLabels && { source_labels: sourceLabels }),
    ...(targetLabel === undefined ? {} : { target_label: targetLabel }),
  }
}

function read<T>(file: string): T {
  return parse(readFileSync(join(monitoring, file), 'utf8')) as T
}

test.run()
