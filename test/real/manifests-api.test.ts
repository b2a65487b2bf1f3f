// Goal: a real API server takes everything in manifests/ as it is, defaults and admission included, and does with it what the documents say.
// Method: server-side dry runs in strict validation of what `kubectl -k` builds; the policy of the overlay dns-config asked about pods.
// Definitions of foreign resources are not there: those objects are left out.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { documentsOf, manifestsRoot } from '../support/manifests.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import type { KubernetesObject } from '../support/world/kube-objects.ts'
import { KubeServer } from '../support/world/kube-server.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/manifests-api'), 'kubernetes', 'root', 'netns', 'ip')

const foreign = ['CiliumLocalRedirectPolicy', 'NodeReadinessRule']
const overlays = readdirSync(join(manifestsRoot, 'overlays'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'coredns')
  .map(({ name }) => join('overlays', name))

/** As node-world.ts has them: the server is that of all files of this process. */
const api = () => KubeServer.shared({ serviceNetworks: ['10.96.0.0/16', 'fd96::/112'] })

/** What `kubectl apply -k` would send, by kubectl's own kustomize. */
async function builtBy(server: KubeServer, directory: string): Promise<KubernetesObject[]> {
  const text = await server.kubectl(['kustomize', join(manifestsRoot, directory)])
  return documentsOf(text).filter(({ kind }) => !foreign.includes(kind)) as KubernetesObject[]
}

for (const directory of ['.', ...overlays]) {
  test(`the API server takes manifests/${directory} without a warning`, async () => {
    const server = await api()
    const items = await builtBy(server, directory)
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    const how = ['--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict']
    const answered = await server.kubectl(
      ['apply', ...how, '--warnings-as-errors', '-f', '-'],
      list,
    )
    for (const { kind, metadata } of items) {
      assert.match(answered, new RegExp(`^${kind.toLowerCase()}\\S*/${metadata.name} `, 'm'))
    }
  })
}

test('the same check refuses a field that does not exist', async () => {
  const server = await api()
  const [first] = await builtBy(server, '.')
  const how = ['--server-side', '--dry-run=server', '--validate=strict']
  const refused = await server
    .kubectl(['apply', ...how, '-f', '-'], JSON.stringify({ ...first, specc: {} }))
    .then(
      () => 'taken',
      (error: unknown) => String(error),
    )
  assert.match(refused, 'specc')
})

interface PodSpec {
  readonly dnsPolicy: string
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[]
    readonly searches?: readonly string[]
    readonly options?: readonly { readonly name: string; readonly value?: string }[]
  }
}

interface PodWish {
  readonly namespace: string
  readonly labels?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The pod as the API server would store it. */
async function created(server: KubeServer, { namespace, labels, spec }: PodWish): Promise<PodSpec> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asked', namespace, labels },
    spec: { containers: [{ name: 'one', image: 'none' }], ...spec },
  }
  const how = ['create', '--dry-run=server', '-o', 'json', '-f', '-']
  const answered = await server.kubectl(how, JSON.stringify(pod))
  return (JSON.parse(answered) as { spec: PodSpec }).spec
}

test('pods of a labelled namespace get neardns first, and nobody else does', async () => {
  const server = await api()
  const account = (namespace: string): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  })
  const space = (name: string, labels: Readonly<Record<string, string>>): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  })
  const spaces = [
    space('asks-neardns', { 'neardns/dns-config': 'enabled' }),
    space('as-ever', { team: 'x' }),
  ]
  const policy = (await builtBy(server, 'overlays/dns-config')).filter(
    ({ kind, metadata }) =>
      kind.startsWith('MutatingAdmission') || metadata.name === 'neardns-dns-config',
  )
  assert.is(policy.length, 3)
  await server.apply([...spaces, account('asks-neardns'), account('as-ever'), ...policy])
  try {
    const labelled = { namespace: 'asks-neardns' }
    // The API server learns of a policy by a watch of its own.
    await until(
      'the policy is in force',
      async () => (await created(server, labelled)).dnsPolicy === 'None',
      { timeoutMs: 30_000, everyMs: 250 },
    )
    assert.equal((await created(server, labelled)).dnsConfig, {
      nameservers: ['169.254.20.10', '10.96.0.10'],
      options: [{ name: 'ndots', value: '5' }],
      searches: ['asks-neardns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    })
    const options = [{ name: 'ndots', value: '2' }]
    const leftAlone: PodWish[] = [
      { namespace: 'as-ever' },
      { ...labelled, labels: { 'neardns/dns-config': 'disabled' } },
      { ...labelled, spec: { hostNetwork: true } },
      { ...labelled, spec: { dnsConfig: { options } } },
      { ...labelled, spec: { dnsPolicy: 'Default' } },
    ]
    for (const wish of leftAlone) {
      const { dnsPolicy, dnsConfig } = await created(server, wish)
      assert.is(dnsPolicy, wish.spec?.['dnsPolicy'] ?? 'ClusterFirst', JSON.stringify(wish))
      assert.equal(dnsConfig, wish.spec?.['dnsConfig'], JSON.stringify(wish))
    }
    // Without its parameters the policy keeps no pod from being created.
    await server.delete(policy.filter(({ kind }) => kind === 'ConfigMap'))
    await until(
      'the parameters are gone',
      async () => (await created(server, labelled)).dnsPolicy === 'ClusterFirst',
      { timeoutMs: 30_000, everyMs: 250 },
    )
  } finally {
    await server.delete(policy)
    await server.kubectl(['delete', 'namespace', '--wait=false', 'asks-neardns', 'as-ever'])
  }
})

test.run()
