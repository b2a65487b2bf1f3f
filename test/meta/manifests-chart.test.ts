// Goal: the chart renders what its values say, refuses what it cannot mean, and is the one source of the kustomize base.
// Method: real helm on values; each rendering through kubeconform with the schemas of the oldest and the newest Kubernetes, and its
// configuration through the daemon's own reader.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { staleFiles } from '../../manifests/generate.ts'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import type { Config } from '../../src/config/schema.ts'
import {
  configOf,
  configTextOf,
  daemonSetOf,
  documentsIn,
  documentsOf,
  find,
  type HelmRun,
  helm,
  helmRender,
  kubeconform,
  type Manifest,
  manifestsRoot,
} from '../support/manifests.ts'
import { needing, schemaVersions } from '../support/needs.ts'

export const testTimeoutMs = 120_000

const base = suite('manifests/chart')
const test = needing(base, 'helm', 'kubeconform')
const chart = join(manifestsRoot, 'chart')
const variables = {
  KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.77.7',
  NODE_IP: '192.0.2.4',
  POD_IP: '10.244.1.9',
}

function rendered(values: unknown, more: readonly string[] = []): Manifest[] {
  const { ok, stdout, stderr } = helmRender(values, more)
  if (!ok) throw new Error(stderr)
  return documentsOf(stdout)
}

function refusal(values: unknown, more: readonly string[] = []): string {
  const { ok, stdout, stderr } = helmRender(values, more)
  assert.not.ok(ok, stdout)
  return stderr
}

function configFrom(values: unknown): Config {
  const result = configOf(rendered(values), variables)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

test('base, overlays and the schema of the values are what the chart makes of them', () => {
  assert.equal(staleFiles(), [], 'run: npm run manifests')
})

test('helm lint finds nothing, warnings included', () => {
  const { ok, stdout, stderr } = helm(['lint', '--strict', chart])
  assert.ok(ok, stdout + stderr)
  assert.not.match(stdout, '[WARNING]')
})

/** What the chart can be asked for, each far from the defaults. */
const choices: Readonly<Record<string, unknown>> = {
  defaults: {},
  'a ClusterIP': { config: { dnsServer: '10.96.0.10' } },
  'both families': {
    config: { localDns: '169.254.20.10, fd00::10', dnsServer: '10.96.0.10,fd00::a' },
  },
  'a Service that is there': { config: { customUpstreamsvc: 'coredns-direct' } },
  'the pod network': { config: { setupInterface: false, setupIptables: false } },
  'a local redirect policy': {
    config: { setupInterface: false, setupIptables: false },
    localRedirectPolicy: { enabled: true },
  },
  'its own settings': {
    config: {
      zones: [{ name: 'corp.example', upstreams: ['10.1.0.53'] }],
      cache: { bytesMax: 67_108_864 },
      interception: { mode: 'nftables', standbySeconds: 5 },
      workers: 2,
    },
  },
  'a configuration of its own': { config: { customConfig: 'listen: [127.0.0.1:53]\n' } },
  'fields of pods': {
    podAnnotations: { a: 'b' },
    podLabels: { team: 'dns' },
    affinity: { nodeAffinity: {} },
    imagePullSecrets: [{ name: 'registry' }],
    podSecurityContext: { seLinuxOptions: { type: 'spc_t' } },
    lifecycle: { preStop: { exec: { command: ['true'] } } },
    resizePolicy: [],
    extraArgs: ['--log-level=debug'],
    daemonsetLabels: { x: 'y' },
    configMapAnnotations: { x: 'y' },
    serviceAccount: { annotations: { x: 'y' } },
  },
  'other names': { nameOverride: 'nd', fullnameOverride: 'dns-on-nodes' },
  'a token': { admin: { tokenSecret: 'neardns-token', port: 9353 } },
  'names of pods': { podNames: { enabled: true } },
  'a collector of spans': {
    config: { log: { traces: { endpoint: 'https://192.0.2.5:4318' } } },
    traces: { secret: 'neardns-traces' },
  },
  monitors: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
  'no surge': { updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
  'no limits': { resources: { limits: null, requests: null }, priorityClassName: '' },
  'a foreign account': { serviceAccount: { create: false, name: 'default' } },
}

for (const [name, values] of Object.entries(choices)) {
  test(`with ${name} every object is valid in the oldest and the newest Kubernetes`, () => {
    const { ok, stdout, stderr } = helmRender(values)
    assert.ok(ok, stderr)
    for (const version of schemaVersions) assert.is(kubeconform(stdout, version), '', version)
    for (const { kind, metadata } of documentsOf(stdout))
      if (!kind.startsWith('Cluster')) assert.is(metadata.namespace, 'kube-system')
  })
}

test('the check refuses a field that the newest has and the oldest has not', () => {
  const { stdout } = helmRender({ upstreamService: { trafficDistribution: 'PreferSameZone' } })
  const [oldest, newest] = schemaVersions
  assert.is(kubeconform(stdout, newest), '')
  assert.match(kubeconform(stdout, oldest), 'trafficDistribution')
})

test('a Kubernetes that lacks what is asked for is told apart before anything is applied', () => {
  const zone = { upstreamService: { trafficDistribution: 'PreferSameZone' } }
  assert.match(refusal(zone, ['--kube-version', '1.33.0']), 'needs Kubernetes 1.35')
  assert.match(refusal({}, ['--kube-version', '1.24.17']), 'requires kubeVersion: >=1.25.0-0')
  rendered({}, ['--kube-version', '1.25.16-eks-1a2b3c'])
})

test('names that the chart shares with node-local-dns mean the same', () => {
  const config = configFrom({
    config: {
      dnsDomain: 'k8s.example',
      localDns: '169.254.20.25',
      dnsServer: '172.20.0.10',
      skipTeardown: false,
      enableLogging: true,
    },
  })
  assert.is(config.clusterDomain, 'k8s.example')
  assert.equal(config.listen.map(formatEndpoint), ['169.254.20.25:53', '172.20.0.10:53'])
  assert.equal(
    config.interception.clusterIps.map(({ address }) => address),
    ['172.20.0.10'],
  )
  assert.is(config.interception.onStop, 'remove')
  assert.is(config.log.queries.sampleOneIn, 1)
})

test('addresses of both families are listened on, taken over and told apart by brackets', () => {
  const { listen, interception } = configFrom(choices['both families'])
  assert.equal(listen.map(formatEndpoint), [
    '169.254.20.10:53',
    '[fd00::10]:53',
    '10.96.0.10:53',
    '[fd00::a]:53',
  ])
  assert.is(interception.addresses.length, 2)
  assert.is(interception.clusterIps.length, 2)
})

test('every setting of neardns can be given, and wins over what the chart makes', () => {
  const config = configFrom(choices['its own settings'])
  assert.is(config.zones[0]?.name, 'corp.example')
  assert.is(config.cache.bytesMax, 67_108_864)
  assert.is(config.interception.mode, 'nftables')
  assert.is(config.interception.standbySeconds, 5)
  // What was not given stays.
  assert.is(config.interception.addresses[0]?.address, '169.254.20.10')
  assert.is(config.searchPath.corefile, '/etc/coredns/Corefile')
  assert.is(config.handover.socket, '@neardns')
  assert.is(config.workers, 2)
})

test('the schema of the values has every setting and every bound of the configuration', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>
    readonly items?: Schema
    readonly additionalProperties?: boolean
  }
  const read = (path: string) =>
    JSON.parse(readFileSync(join(manifestsRoot, path), 'utf8')) as Schema
  const own = read('../docs/neardns.schema.json')
  const values = read('chart/values.schema.json').properties?.['config']
  const withoutClosing = (node: Schema): unknown =>
    JSON.parse(
      JSON.stringify(node, (key, value: unknown) =>
        key === 'additionalProperties' ? undefined : value,
      ),
    )
  const sorted = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(sorted)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, sorted(value)]),
    )
  }
  for (const [key, node] of Object.entries(own.properties ?? {})) {
    const copy = values?.properties?.[key]
    assert.ok(copy, key)
    assert.equal(sorted(withoutClosing(copy)), sorted(withoutClosing(node)), key)
  }
})

test('a value that does not exist, and one out of bounds, is refused with its place', () => {
  assert.match(refusal({ config: { cach: {} } }), /cach/)
  assert.match(refusal({ config: { cache: { bytesMaxx: 1 } } }), /bytesMaxx/)
  assert.match(refusal({ config: { workers: 1000 } }), /workers/)
  assert.match(refusal({ config: { noIPv6Lookups: true } }), /noIPv6Lookups/)
  assert.match(refusal({ config: { localDns: 'node.local' } }), /localDns/)
  assert.match(refusal({ tolerations: {} }), /tolerations/)
  assert.match(refusal({ image: { repo: 'x' } }), /repo/)
  assert.match(refusal({ config: { setupIptables: false } }), 'set them to the same')
  assert.match(refusal({ localRedirectPolicy: { enabled: true } }), 'to false')
})

test('without interface and rules the pod has a network of its own and no right on the node', () => {
  const documents = rendered(choices['a local redirect policy'])
  const { template } = daemonSetOf(documents).spec
  const [container] = template.spec.containers
  assert.is(template.spec.hostNetwork, false)
  assert.equal(container.securityContext.capabilities, {
    drop: ['ALL'],
    add: ['NET_BIND_SERVICE'],
  })
  assert.is(container.securityContext.runAsUser, 65_532)
  assert.equal(
    template.spec.volumes.map(({ name }) => name),
    ['config', 'corefile', 'run', 'corefile-custom'],
  )
  const config = configFrom(choices['a local redirect policy'])
  assert.is(config.interception.mode, 'none')
  assert.is(config.handover.socket, null)
  assert.equal(config.listen.map(formatEndpoint), ['10.244.1.9:53'])
  const policy = find(documents, 'CiliumLocalRedirectPolicy') as unknown as {
    spec: {
      redirectBackend: {
        localEndpointSelector: { matchLabels: unknown }
        toPorts: { name: string; port: string; protocol: string }[]
      }
    }
  }
  const { localEndpointSelector, toPorts } = policy.spec.redirectBackend
  assert.equal(localEndpointSelector.matchLabels, daemonSetOf(documents).spec.selector.matchLabels)
  // Cilium maps ports by name.
  for (const { name, port } of toPorts) {
    const declared = container.ports?.find((one) => one.name === name)
    assert.is(declared?.containerPort, Number(port))
  }
})

test('a Service of the user is asked for CoreDNS, and none is made beside it', () => {
  const documents = rendered(choices['a Service that is there'])
  assert.not.ok(documents.some(({ kind }) => kind === 'Service'))
  const result = configOf(documents, { ...variables, COREDNS_DIRECT_SERVICE_HOST: '10.96.0.99' })
  assert.ok(result.ok, JSON.stringify(result))
  assert.equal(result.config.cluster.upstreams.map(formatUpstream), ['tcp://10.96.0.99:53'])
})

test('a configuration of the user is taken as it is', () => {
  const text = configTextOf(rendered(choices['a configuration of its own']))
  assert.is(text.trim(), 'listen: [127.0.0.1:53]')
})

test('the Secret with the token is mounted where the configuration looks for it', () => {
  const documents = rendered(choices['a token'])
  const pod = daemonSetOf(documents).spec.template.spec
  const volume = pod.volumes.find(({ secret }) => secret?.secretName === 'neardns-token')
  const mount = pod.containers[0].volumeMounts.find(({ name }) => name === volume?.name)
  assert.match(configTextOf(documents), `tokenFile: ${mount?.mountPath}/token`)
})

test('pods are scraped once, by whatever is turned on', () => {
  const annotated = (values: unknown) =>
    daemonSetOf(rendered(values)).spec.template.metadata.annotations?.['prometheus.io/scrape']
  assert.is(annotated({}), 'true')
  assert.is(annotated({ podMonitor: { enabled: true } }), undefined)
  assert.is(annotated({ serviceMonitor: { enabled: true } }), undefined)
  assert.is(annotated({ prometheusScraping: { enabled: false } }), undefined)
  const documents = rendered({ serviceMonitor: { enabled: true, labels: { release: 'p' } } })
  const monitor = find(documents, 'ServiceMonitor') as unknown as {
    metadata: { labels: Record<string, string> }
    spec: { selector: { matchLabels: Record<string, string> } }
  }
  assert.is(monitor.metadata.labels['release'], 'p')
  const labels = find(documents, 'Service', 'neardns-metrics').metadata.labels ?? {}
  for (const [key, value] of Object.entries(monitor.spec.selector.matchLabels))
    assert.is(labels[key], value)
})

test('alerts and dashboard are those of manifests/monitoring, or are refused where these are missing', () => {
  for (const [value, file, kind] of [
    ['prometheusRule', 'prometheusrule.yaml', 'PrometheusRule'],
    ['dashboard', 'dashboard.json', 'ConfigMap'],
  ] as const) {
    const values = { [value]: { enabled: true } }
    if (!existsSync(join(manifestsRoot, 'monitoring', file))) {
      assert.match(refusal(values), `has no files/${file}`)
      continue
    }
    const documents = rendered(values)
    if (kind === 'ConfigMap') {
      const { data } = find(documents, kind, 'neardns-dashboard') as unknown as {
        data: Record<string, string>
      }
      const original = readFileSync(join(manifestsRoot, 'monitoring', file), 'utf8')
      assert.equal(JSON.parse(data['neardns.json'] ?? ''), JSON.parse(original))
    } else {
      const spec = (one: Manifest | undefined) => (one as unknown as { spec: unknown }).spec
      const [original] = documentsIn(`monitoring/${file}`)
      assert.equal(spec(find(documents, kind)), spec(original))
    }
  }
})

test('a new version of the chart alone restarts no pod', () => {
  const now = daemonSetOf(rendered({})).spec.template
  const next = withChangedChart(
    (copy) => {
      const file = join(copy, 'Chart.yaml')
      const text = readFileSync(file, 'utf8').replace(/^version: .*$/m, 'version: 9.9.9')
      writeFileSync(file, text)
    },
    (copy) => helm(['template', 'neardns', copy, '--kube-version', '1.37.2']),
  )
  assert.match(next.stdout, 'helm.sh/chart: neardns-9.9.9')
  assert.equal(daemonSetOf(documentsOf(next.stdout)).spec.template, now)
})

test('pods are made anew for settings that are read at the start, and for no others', () => {
  const mark = (values: unknown) => {
    const { annotations } = daemonSetOf(rendered(values)).spec.template.metadata
    return annotations?.['neardns/start-settings']
  }
  const now = mark({})
  assert.match(now ?? '', /^[0-9a-f]{12}$/)
  const others = [
    { config: { cache: { bytesMax: 1_000_000 } } },
    { config: { zones: [{ name: 'corp.example', upstreams: ['10.1.0.53'] }] } },
    { config: { enableLogging: true } },
  ]
  for (const values of others) assert.is(mark(values), now, JSON.stringify(values))
  const program = readFileSync(join(manifestsRoot, '../src/cli/run.ts'), 'utf8')
  const list = /const restartOnly = \[([^\]]+)\]/.exec(program)?.[1] ?? ''
  const names = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '')
  const helper = readFileSync(join(chart, 'templates/_helpers.tpl'), 'utf8')
  const picked = /pick \$config ([^}]+)\}\}/.exec(helper)?.[1] ?? ''
  assert.equal(
    [...names, 'listen'].filter((name) => !picked.includes(`"${name}"`)),
    [],
  )
  const restarting = [
    { config: { dnsServer: '10.96.0.10' } },
    { config: { skipTeardown: false } },
    { config: { io: 'portable' } },
    { config: { udp: { replyBytesMax: 1400 } } },
    { config: { tcp: { idleMs: 5000 } } },
    { config: { interception: { mode: 'nftables' } } },
    { config: { handover: { timeoutMs: 4000 } } },
    { config: { workers: 2 } },
    { config: { supervisor: 'always' } },
    { config: { memory: { heapPercent: 40 } } },
    { config: { searchPath: { corefile: '/etc/other' } } },
    { config: { customConfig: 'workers: 2' } },
  ]
  assert.is(new Set([now, ...restarting.map(mark)]).size, restarting.length + 1)
})

test('files that the Corefile imports are mounted from the ConfigMap that is named, or not at all', () => {
  const mountedFrom = (customConfigMapName: string | undefined) => {
    const values = customConfigMapName === undefined ? {} : { corefile: { customConfigMapName } }
    const { volumes, containers } = daemonSetOf(rendered(values)).spec.template.spec
    const mounts = containers[0].volumeMounts.filter(({ name }) => name === 'corefile-custom')
    const maps = volumes.filter(({ name }) => name === 'corefile-custom')
    return [mounts.map(({ mountPath }) => mountPath), maps.map(({ configMap }) => configMap?.name)]
  }
  assert.equal(mountedFrom(undefined), [['/etc/coredns/custom'], ['coredns-custom']])
  assert.equal(mountedFrom('other'), [['/etc/coredns/custom'], ['other']])
  assert.equal(mountedFrom(''), [[], []])
})

test('what helm wants of a release is left out of the base, and nothing else', () => {
  const own = documentsIn('base/serviceaccount.yaml')
  const inChart = rendered({}, ['--show-only', 'templates/serviceaccount.yaml'])
  const { 'helm.sh/chart': chartLabel, ...more } = inChart[0]?.metadata.labels ?? {}
  const { 'app.kubernetes.io/managed-by': manager, ...rest } = more
  assert.equal([chartLabel, manager], ['neardns-0.1.0', 'Helm'])
  assert.equal(own[0]?.metadata.labels, rest)
})

/** The notes as helm renders them; shown they are only to who installs, so a copy of the chart has them as an object. */
function notes(values: unknown): string {
  const { ok, stdout, stderr } = withChangedChart(
    (copy) => {
      const text = readFileSync(join(copy, 'templates/NOTES.txt'), 'utf8')
      const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata:\n  notes: |'
      const shown = `${object}\n    {{- include "notes" . | nindent 4 }}\n`
      const defined = `{{- define "notes" -}}\n${text}{{- end -}}\n${shown}`
      writeFileSync(join(copy, 'templates/notes-shown.yaml'), defined)
    },
    (copy) =>
      helm(
        ['template', 'neardns', copy, '--namespace=kube-system', '--kube-version=1.37.2'],
        values,
      ),
  )
  assert.ok(ok, stderr)
  const map = find(documentsOf(stdout), 'ConfigMap', 'notes') as unknown as {
    data: { notes: string }
  }
  return map.data.notes
}

function withChangedChart(
  change: (copy: string) => void,
  then: (copy: string) => HelmRun,
): HelmRun {
  const copy = mkdtempSync(join(tmpdir(), 'neardns-chart-'))
  try {
    cpSync(chart, copy, { recursive: true })
    change(copy)
    return then(copy)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

test('the notes say what to do next, for what was chosen', () => {
  assert.match(notes({}), 'No pod uses it yet')
  assert.match(notes({}), 'helm uninstall --no-hooks')
  assert.match(notes(choices['a ClusterIP']), 'All pods that ask 10.96.0.10 use it at once')
  assert.match(notes(choices['a local redirect policy']), 'cilium-dbg lrp list')
  assert.match(notes(choices['the pod network']), 'Nothing leads to the pods yet')
  assert.match(notes(choices['no limits']), 'helm uninstall')
  assert.match(notes({ config: { skipTeardown: false } }), 'Every stop leaves the node as it was')
  assert.match(
    notes({ resources: { limits: { memory: '256Mi' } } }),
    'config.cache.bytesMax was not',
  )
})

test('the uninstall job exists for the moment of the uninstall only, with rights on two objects', () => {
  const hooks = rendered({}).filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'])
  assert.equal(hooks.map(({ kind }) => kind).sort(), [
    'ConfigMap',
    'Job',
    'Role',
    'RoleBinding',
    'ServiceAccount',
  ])
  for (const { metadata } of hooks) {
    assert.is(metadata.annotations?.['helm.sh/hook'], 'pre-delete')
    assert.match(metadata.annotations?.['helm.sh/hook-delete-policy'] ?? '', 'hook-succeeded')
  }
  const { rules } = find(hooks, 'Role') as unknown as { rules: unknown[] }
  assert.equal(rules, [
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['neardns'],
      verbs: ['get', 'patch'],
    },
    {
      apiGroups: ['apps'],
      resources: ['daemonsets'],
      resourceNames: ['neardns'],
      verbs: ['get', 'patch'],
    },
  ])
  const without = rendered({ uninstall: { cleanNodes: false } })
  assert.not.ok(without.some(({ metadata }) => metadata.annotations?.['helm.sh/hook']))
})

test.run()
