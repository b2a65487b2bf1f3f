// Goal: what `kubectl apply -k manifests/` sends is what an API server accepts, and its parts agree with each other.
// Method: every document of the base against the Kubernetes schemas, then spoiled copies that the same check must refuse.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import { readArguments } from '../../src/cli/command-line/arguments.ts'
import { readOptions } from '../../src/cli/rehearse/options.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { schemaMistakes } from '../support/kubernetes-schema.ts'
import {
  configOf,
  configTextOf,
  type DaemonSet,
  daemonSetOf,
  documentsIn,
  find,
  type Manifest,
  manifestsRoot,
} from '../support/manifests.ts'

const test = suite('manifests')

const baseFiles = readdirSync(join(manifestsRoot, 'base'))
  .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
  .sort()
const base = (): Manifest[] => baseFiles.flatMap((file) => documentsIn(`base/${file}`))
const daemonSet = () => daemonSetOf(base())
const kustomization = (directory: string) =>
  documentsIn(join(directory, 'kustomization.yaml'))[0] as unknown as {
    resources: string[]
    images?: { name: string }[]
  }
const variables = { KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.77.7', NODE_IP: '192.0.2.4' }

test('every manifest passes the Kubernetes schema without unknown fields', () => {
  assert.ok(baseFiles.length >= 4, baseFiles.join())
  // What overlays make of it is checked where they are built.
  const files = ['base', 'examples', 'monitoring', 'rehearse']
    .filter((folder) => existsSync(join(manifestsRoot, folder)))
    .flatMap((folder) =>
      readdirSync(join(manifestsRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('kustomization.yaml'))
  for (const file of files) {
    for (const document of documentsIn(file)) assert.equal(schemaMistakes(document), [], file)
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
  assert.equal(kustomization('.').resources, ['base'])
  assert.equal([...kustomization('base').resources].sort(), baseFiles)
  const names = kustomization('base').images?.map((image) => image.name)
  assert.equal(names, ['neardns'])
  const text = readFileSync(join(manifestsRoot, 'base/daemonset.yaml'), 'utf8')
  const images = [...text.matchAll(/^\s+image: ([^:\s]+)(?::\S+)?$/gm)].map((match) => match[1])
  assert.equal(images, names)
})

test('the pod template carries the labels that the selector asks for', () => {
  const { selector, template } = daemonSet().spec
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    assert.is(template.metadata.labels[key], value)
  }
})

test('nothing of ours is caught by the selectors of NodeLocal DNSCache and of CoreDNS', () => {
  const foreign = ['node-local-dns', 'nodelocaldns', 'kube-dns']
  const pods = daemonSet().spec.template.metadata.labels
  for (const labels of [pods, ...base().map((one) => one.metadata.labels ?? {})]) {
    assert.not.ok(foreign.includes(labels['k8s-app'] ?? ''), JSON.stringify(labels))
  }
})

test('the ConfigMap and the arguments make a configuration without mistakes', () => {
  const result = configOf(base(), variables)
  assert.ok(result.ok, JSON.stringify(result))
  const { config } = result
  assert.equal(config.listen.map(formatEndpoint), ['169.254.20.10:53'])
  assert.equal(
    config.interception.addresses.map(({ address }) => address),
    ['169.254.20.10'],
  )
  assert.is(config.interception.onStop, 'keep')
  assert.equal(config.cluster.upstreams.map(formatUpstream), ['tcp://10.96.77.7:53'])
  assert.equal(config.admin.listen.map(formatEndpoint), ['192.0.2.4:9253'])
  const pod = daemonSet().spec.template.spec
  assert.ok(config.drain.deadlineMs < pod.terminationGracePeriodSeconds * 1000)
  const limit = /^(\d+)Mi$/.exec(pod.containers[0].resources.limits.memory)?.[1]
  assert.ok(config.cache.bytesMax <= Number(limit) * 1_048_576 * 0.25)
})

test('the same arguments do for nodes and clusters with IPv6 addresses', () => {
  const result = configOf(base(), {
    KUBE_DNS_UPSTREAM_SERVICE_HOST: 'fd00:10:96::77',
    NODE_IP: '2001:db8::4',
  })
  assert.ok(result.ok, JSON.stringify(result))
  const { cluster, admin } = result.config
  assert.equal(cluster.upstreams.map(formatUpstream), ['tcp://[fd00:10:96::77]:53'])
  assert.equal(admin.listen.map(formatEndpoint), ['[2001:db8::4]:9253'])
})

test('what is commented out in the configuration is right when it is put in', () => {
  const hints = configTextOf(base())
    .replaceAll(/^( *)# (- 10\.96\.0\.10:53|clusterIps: .*)$/gm, '$1$2')
    .replaceAll(/^# (zones:| {2}- name: .*| {4}upstreams: .*)$/gm, '$1')
  const map = find(base(), 'ConfigMap', 'neardns')
  const changed = { ...map, data: { 'neardns.yaml': hints } }
  const result = configOf([changed, ...base()], variables)
  assert.ok(result.ok, JSON.stringify(result))
  const { listen, interception, zones } = result.config
  assert.equal(listen.map(formatEndpoint), ['169.254.20.10:53', '10.96.0.10:53'])
  assert.equal(
    interception.clusterIps.map(({ address }) => address),
    ['10.96.0.10'],
  )
  assert.equal(
    zones.map(({ name }) => name),
    ['corp.example'],
  )
})

test('a Service variable that the kubelet did not know is refused and not taken for an address', () => {
  const result = configOf(base(), { NODE_IP: '192.0.2.4' })
  assert.not.ok(result.ok)
  const text = result.ok ? '' : result.problems.map(formatProblem).join()
  assert.match(text, '--cluster-upstream [$(KUBE_DNS_UPSTREAM_SERVICE_HOST)]:53')
})

test('CoreDNS is found by the variable that the kubelet makes of the Service in service.yaml', () => {
  const { name } = find(base(), 'Service').metadata
  const variable = `${name.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`
  const pod = daemonSet().spec.template.spec
  assert.ok(pod.containers[0].args?.includes(`--cluster-upstream=[$(${variable})]:53`))
  assert.is(pod.enableServiceLinks, true)
})

test('probes, scrape annotation and --admin agree on one port', () => {
  const { metadata, spec } = daemonSet().spec.template
  const [container] = spec.containers
  const admin = container.args?.find((arg) => arg.startsWith('--admin=')) ?? ''
  const port = Number(admin.split(':').at(-1))
  assert.is(metadata.annotations?.['prometheus.io/port'], String(port))
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
    assert.is(container[probe].httpGet.host, undefined)
  }
})

test('the daemon has the capabilities that it needs, and nothing beside it has more', () => {
  const { initContainers, containers } = daemonSet().spec.template.spec
  assert.is(initContainers, undefined)
  assert.is(containers.length, 1)
  const { securityContext } = containers[0]
  // Programs that the daemon runs get NET_ADMIN and NET_RAW as root only; iptables-legacy reads through a raw socket.
  assert.is(securityContext.runAsUser, 0)
  assert.equal(securityContext.capabilities.add, ['NET_BIND_SERVICE', 'NET_ADMIN', 'NET_RAW'])
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
  const config = configOf(base(), variables)
  assert.ok(config.ok)
  assert.is(config.ok && config.config.handover.socket, '@neardns')
  assert.is(config.ok && config.config.handover.afterwards, 'wait')
})

test('the daemon asks the resolvers of the node and not itself', () => {
  const pod = daemonSet().spec.template.spec
  assert.is(pod.hostNetwork, true)
  assert.is(pod.dnsPolicy, 'Default')
})

/** It is a file capability of the image's Node: where the container may not have it, the kernel starts no such program. */
test('whoever gets capabilities gets NET_BIND_SERVICE', () => {
  const lines = readdirSync(manifestsRoot, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => readFileSync(join(manifestsRoot, file), 'utf8').split('\n'))
    .filter((line) => /^ +add: \[[A-Z]/.test(line))
  assert.ok(lines.length >= 4, lines.join())
  for (const line of lines) assert.match(line, 'NET_BIND_SERVICE')
})

test('the rehearsal can start and listen, and no more, and its arguments and configuration are right', async () => {
  const job = find(documentsIn('rehearse/job.yaml'), 'Job', 'neardns-rehearse-NODE')
  const { spec } = (job as unknown as DaemonSet).spec.template
  const [{ securityContext, args = [] }] = spec.containers
  assert.is(spec.hostNetwork, true)
  assert.equal(securityContext.capabilities, {
    drop: ['ALL'],
    add: ['NET_BIND_SERVICE', 'NET_RAW'],
  })
  const text = configTextOf(documentsIn('rehearse/configmap.yaml'), 'neardns-rehearse')
  const directory = mkdtempSync(join(tmpdir(), 'neardns-rehearse-'))
  const file = join(directory, 'neardns.yaml')
  writeFileSync(file, text)
  const given = args
    .slice(1)
    .map((arg) => arg.replace('/etc/neardns/neardns.yaml', file))
    .map((arg) => arg.replace('$(KUBE_DNS_SERVICE_HOST)', '10.96.0.10'))
  const read = readArguments('rehearse', given)
  assert.ok(read.ok, JSON.stringify(read))
  const options = await readOptions(read)
  rmSync(directory, { recursive: true })
  assert.ok(options.ok, JSON.stringify(options))
  const { servers, config, forMs } = options.options
  assert.equal([servers, forMs], [['169.254.20.10', '10.96.0.10'], 300_000])
  assert.equal(config.cluster.upstreams.map(formatUpstream), ['tcp://10.96.0.10:53'])
})

test.run()
