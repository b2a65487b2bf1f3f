// Goal: what `kubectl apply -k manifests/` sends is what an API server accepts, and its parts agree with each other.
// Method: every document against the Kubernetes schemas, then spoiled copies that the same check must refuse.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAllDocuments } from 'yaml'
import { parseRunArgs } from '../../src/cli/args.ts'
import { formatEndpoint, formatUpstream } from '../../src/config/address.ts'
import { type ConfigResult, loadConfig } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { schemaMistakes } from '../support/kubernetes-schema.ts'

const root = join(import.meta.dirname, '../../manifests')
const test = suite('manifests')

interface Container {
  readonly name: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly ports?: unknown
  readonly env: readonly { name: string }[]
  readonly securityContext: {
    readonly runAsUser: number
    readonly allowPrivilegeEscalation: boolean
    readonly readOnlyRootFilesystem: boolean
    readonly capabilities: { readonly drop: readonly string[]; readonly add: readonly string[] }
  }
  readonly resources: { readonly limits: { readonly memory: string } }
  readonly volumeMounts: readonly { readonly mountPath: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number }
}

interface DaemonSet {
  readonly spec: {
    readonly updateStrategy: { readonly rollingUpdate: unknown }
    readonly minReadySeconds: number
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>
        readonly annotations: Readonly<Record<string, string>>
      }
      readonly spec: {
        readonly hostNetwork: boolean
        readonly dnsPolicy: string
        readonly enableServiceLinks: boolean
        readonly terminationGracePeriodSeconds: number
        readonly initContainers?: readonly Container[]
        readonly containers: readonly [Container]
        readonly volumes: readonly { name: string; configMap: { name: string } }[]
      }
    }
  }
}

function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((document) => {
    assert.equal(document.errors.map(String), [], file)
    return document.toJS() as unknown
  })
}

const daemonSet = () => documents('daemonset.yaml')[0] as DaemonSet
const kustomization = () =>
  documents('kustomization.yaml')[0] as { resources: string[]; images: { name: string }[] }
const configText = () =>
  (documents('configmap.yaml')[0] as { data: Record<string, string> }).data['neardns.yaml'] ?? ''

test('every manifest passes the Kubernetes schema without unknown fields', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.yaml') && !/(?:^kustomization|\/kustomization|\.patch)\.yaml$/.test(file),
    )
    .sort()
  assert.ok(files.length >= 5, files.join())
  for (const file of files) {
    for (const document of documents(file)) assert.equal(schemaMistakes(document), [], file)
  }
})

test('the schema check refuses unknown fields, wrong types and missing fields', () => {
  const spoiled: [
    string,
    (pod: Record<string, unknown>, container: Record<string, unknown>) => void,
  ][] = [
    [
      '/spec/template/spec/hostNetworks: unknown field',
      (pod) => Object.assign(pod, { hostNetworks: true }),
    ],
    [
      '/spec/template/spec/containers/0/livenessProbe/httpGet/paths: unknown field',
      (_, container) =>
        Object.assign((container['livenessProbe'] as { httpGet: object }).httpGet, { paths: '/' }),
    ],
    ['/spec/template/spec/hostNetwork: type', (pod) => Object.assign(pod, { hostNetwork: 'yes' })],
    [
      '/spec/template/spec/terminationGracePeriodSeconds: type',
      (pod) => Object.assign(pod, { terminationGracePeriodSeconds: '15s' }),
    ],
    [
      '/spec/template/spec/containers/0/args/0: type',
      (_, container) => Object.assign(container, { args: [53] }),
    ],
    [
      '/spec/template/spec/containers/0: required',
      (_, container) => Object.assign(container, { name: undefined }),
    ],
  ]
  for (const [expected, spoil] of spoiled) {
    const copy = daemonSet()
    const pod = copy.spec.template.spec as unknown as Record<string, unknown>
    spoil(pod, (pod['containers'] as Record<string, unknown>[])[0] ?? {})
    const mistakes = schemaMistakes(copy)
    assert.ok(
      mistakes.some((line) => line.startsWith(expected)),
      `${expected}\n${mistakes.join('\n')}`,
    )
  }
  assert.equal(schemaMistakes({ apiVersion: 'apps/v2', kind: 'DaemonSet' }), [
    'no schema for apps/v2 DaemonSet',
  ])
})

test('the kustomization names every manifest beside it and every image in them', () => {
  const files = readdirSync(root).filter((f) => f.endsWith('.yaml') && f !== 'kustomization.yaml')
  assert.equal([...kustomization().resources].sort(), files.sort())
  const names = kustomization().images.map((image) => image.name)
  assert.equal(names, ['neardns'])
  const images = readFileSync(join(root, 'daemonset.yaml'), 'utf8').matchAll(/^\s+image: (\S+)$/gm)
  assert.equal(new Set([...images].map((match) => match[1])), new Set(names))
})

test('the pod template carries the labels that the selector asks for', () => {
  const { selector, template } = daemonSet().spec
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    assert.is(template.metadata.labels[key], value)
  }
  assert.is(template.metadata.labels['k8s-app'], 'node-local-dns')
})

/** The configuration that the daemon gets, with the container's variables as the kubelet would expand them. */
function configOf(variables: Readonly<Record<string, string>>): ConfigResult {
  const [container] = daemonSet().spec.template.spec.containers
  const expanded = (container.args ?? []).map((arg) =>
    arg.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => variables[name] ?? whole),
  )
  assert.is(expanded[0], 'run')
  const run = parseRunArgs(expanded.slice(1))
  if (!run.ok) throw new Error(run.why)
  const mounted = `${container.volumeMounts[0]?.mountPath}/neardns.yaml`
  assert.is(run.args.configFile, mounted)
  return loadConfig({
    file: { name: mounted, text: configText() },
    overrides: run.args.overrides,
  })
}

test('the ConfigMap and the arguments make a configuration without mistakes', () => {
  const result = configOf({ KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.77.7', NODE_IP: '192.0.2.4' })
  assert.ok(result.ok, JSON.stringify(result))
  const { config } = result
  assert.equal(config.listen.map(formatEndpoint), ['169.254.20.10:53'])
  assert.equal(
    config.interception.addresses.map(({ address }) => address),
    ['169.254.20.10'],
  )
  assert.equal(config.cluster.upstreams.map(formatUpstream), ['tcp://10.96.77.7:53'])
  assert.equal(config.admin.listen && formatEndpoint(config.admin.listen), '192.0.2.4:9253')
  const pod = daemonSet().spec.template.spec
  assert.ok(config.drain.deadlineMs < pod.terminationGracePeriodSeconds * 1000)
  const limit = /^(\d+)Mi$/.exec(pod.containers[0].resources.limits.memory)?.[1]
  assert.ok(config.cache.bytesMax <= Number(limit) * 1_048_576 * 0.25)
})

test('a Service variable that the kubelet did not know is refused and not taken for an address', () => {
  const result = configOf({ NODE_IP: '192.0.2.4' })
  assert.not.ok(result.ok)
  const text = result.ok ? '' : result.problems.map(formatProblem).join()
  assert.match(text, '--cluster-upstream $(KUBE_DNS_UPSTREAM_SERVICE_HOST):53')
})

test('CoreDNS is found by the variable that the kubelet makes of the Service in service.yaml', () => {
  const service = documents('service.yaml')[0] as { metadata: { name: string } }
  const variable = `${service.metadata.name.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`
  const pod = daemonSet().spec.template.spec
  assert.ok(pod.containers[0].args?.includes(`--cluster-upstream=$(${variable}):53`))
  assert.is(pod.enableServiceLinks, true)
})

test('probes, scrape annotation and --admin agree on one port', () => {
  const { metadata, spec } = daemonSet().spec.template
  const [container] = spec.containers
  const admin = container.args?.find((arg) => arg.startsWith('--admin=')) ?? ''
  const port = Number(admin.split(':').at(-1))
  assert.is(metadata.annotations['prometheus.io/port'], String(port))
  const variable = /\$\((\w+)\)/.exec(admin)?.[1]
  assert.ok(
    container.env.some((entry) => entry.name === variable),
    admin,
  )
  assert.is(container.startupProbe.httpGet.path, '/startup')
  assert.is(container.livenessProbe.httpGet.path, '/health')
  assert.is(container.readinessProbe.httpGet.path, '/ready')
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    assert.is(container[probe].httpGet.port, port)
  }
})

test('the daemon has the two capabilities that it needs, and nothing beside it has more', () => {
  const { initContainers, containers } = daemonSet().spec.template.spec
  assert.is(initContainers, undefined)
  assert.is(containers.length, 1)
  const { securityContext } = containers[0]
  // Programs that the daemon runs get NET_ADMIN as root only.
  assert.is(securityContext.runAsUser, 0)
  assert.equal(securityContext.capabilities.add, ['NET_BIND_SERVICE', 'NET_ADMIN'])
  assert.equal(securityContext.capabilities.drop, ['ALL'])
  assert.is(securityContext.allowPrivilegeEscalation, false)
  assert.is(securityContext.readOnlyRootFilesystem, true)
})

test('an upgrade starts the new pod beside the old one, which the scheduler allows, and hands over', () => {
  const { updateStrategy, template, minReadySeconds } = daemonSet().spec
  assert.equal(updateStrategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 })
  // With hostNetwork a port is a host port, and the second pod would stay Pending.
  assert.is(template.spec.containers[0].ports, undefined)
  // Until the new process has taken over, its probes are answered by the old one.
  assert.ok(minReadySeconds >= 5)
  const config = configOf({ KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.77.7', NODE_IP: '192.0.2.4' })
  assert.ok(config.ok)
  assert.is(config.ok && config.config.handover.socket, '@neardns')
  assert.is(config.ok && config.config.handover.afterwards, 'wait')
})

test('the daemon asks the resolvers of the node and not itself', () => {
  const pod = daemonSet().spec.template.spec
  assert.is(pod.hostNetwork, true)
  assert.is(pod.dnsPolicy, 'Default')
})

test.run()
