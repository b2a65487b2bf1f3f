/**
 * Goal: programs in a pod resolve names through neardns exactly as they should, whatever resolver code they carry.
 * Method: a pod's network namespace with the resolv.conf that kubelet writes (169.254.20.10, three search domains,
 * ndots:5); in the node's namespace neardns, a CoreDNS for the cluster and an unbound for the rest of the world.
 */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildC, buildGo } from '../support/build.ts'
import { Coredns } from '../support/coredns.ts'
import { Neardns } from '../support/neardns.ts'
import { needing } from '../support/needs.ts'
import { mustRun, runToEnd, until } from '../support/process.ts'
import { Unbound } from '../support/unbound.ts'
import { Agent } from '../support/world/agent.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'
import { type NodeAndPod, nodeAndPod } from '../support/world/netns.ts'

const test = needing(
  suite('real/clients'),
  'coredns',
  'unbound',
  'netns',
  'dig',
  'gcc',
  'musl-gcc',
  'go',
)

const namespaceCount = 3
const external = ['192.0.2.80', '2001:db8::80']
const programs = join(import.meta.dirname, '..', 'support', 'programs')
/** No name may cost a client one of its 5 s time-outs. */
const allNamesMs = 4000

let net: NodeAndPod
let agent: Agent
let coredns: Coredns
let unbound: Unbound
let neardns: Neardns

test.before(async () => {
  net = await nodeAndPod()
  net.pod.setResolvConf(
    'nameserver 169.254.20.10\nsearch team-0.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
  )
  agent = new Agent(net.node)
  const { url } = await agent.call('kubeApi', { namespaces: namespaceCount, port: 6443 })
  coredns = await Coredns.start({ netns: net.node.name, corefile: corefile(url) })
  unbound = await Unbound.start({
    netns: net.node.name,
    address: '127.0.0.1',
    port: 5301,
    zones: {
      'example.test': external.map(
        (address) => `${address.includes(':') ? 'AAAA' : 'A'} ${address}`,
      ),
    },
    ttlSeconds: 60,
  })
  const synced = async () => {
    const name = 'kubernetes.default.svc.cluster.local'
    const { reply } = await agent.call('ask', {
      server: { host: '127.0.0.1', port: 5300 },
      name,
      type: 'A',
    })
    return reply?.rcode === 0
  }
  await until('CoreDNS knows the cluster', synced)
  neardns = await Neardns.start({
    netns: net.node.name,
    args: [
      '--listen=169.254.20.10:53',
      '--cluster-upstream=127.0.0.1:5300',
      '--upstream=127.0.0.1:5301',
    ],
  })
})

test.after(async () => {
  await neardns?.stop()
  await coredns?.stop()
  await unbound?.stop()
  await agent?.stop()
  await net?.remove()
})

function corefile(apiUrl: string): string {
  return `.:5300 {
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    endpoint ${apiUrl}
    pods insecure
    ttl 30
  }
  forward . 127.0.0.1:5301
}
`
}

/** What a pod in namespace team-0 must find under each name; nothing: the name does not exist. */
function expected(): Map<string, readonly string[]> {
  const world = makeKubeWorld(namespaceCount)
  const of = (name: string, namespace: string) => {
    const service = world.services.find(
      (each) => each.name === name && each.namespace === namespace,
    )
    assert.ok(service)
    return [...service.v4, ...service.v6]
  }
  const hostnames = world.services.find(
    (each) => each.kind === 'headless-hostnames' && each.namespace === 'team-1',
  )
  return new Map<string, readonly string[]>([
    ['kubernetes.default', of('kubernetes', 'default')],
    ['cluster-v4', of('cluster-v4', 'team-0')],
    ['cluster-v6', of('cluster-v6', 'team-0')],
    ['cluster-dual.team-1', of('cluster-dual', 'team-1')],
    ['headless.team-1.svc', of('headless', 'team-1')],
    ['headless-dual.team-2.svc.cluster.local', of('headless-dual', 'team-2')],
    ['headless-dual.team-2.svc.cluster.local.', of('headless-dual', 'team-2')],
    ['web-1.headless-hostnames.team-1', [hostnames?.v4[1] ?? '']],
    ['external-inside.team-0', of('headless', 'team-0')],
    ['external-name.team-1', external],
    ['www.example.test', external],
    ['www.example.test.', external],
    ['a.b.c.d.e.example.test', external],
    ['headless-not-ready', []],
    ['nosuch', []],
    ['nosuch.elsewhere.invalid', []],
  ])
}

/** `NAME ADDRESS...` or `NAME error ...` lines to name and addresses. */
function parse(output: string): Map<string, readonly string[]> {
  const rows = output.split('\n').map((line) => line.trim().split(/\s+/))
  return new Map(rows.map(([name = '', ...rest]) => [name, rest[0] === 'error' ? [] : rest]))
}

/** Every name must give its addresses, in any order, each as often as the client likes to repeat it. */
async function resolvesAll(
  resolve: (names: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>,
) {
  const want = expected()
  const startMs = performance.now()
  const got = await resolve([...want.keys()])
  const tookMs = performance.now() - startMs
  for (const [name, addresses] of want) {
    const found = [...new Set(got.get(name))].toSorted()
    assert.equal(found, [...addresses].toSorted(), `${name}: found ${found.join(' ') || 'nothing'}`)
  }
  assert.ok(tookMs < allNamesMs, `${want.size} names took ${tookMs.toFixed(0)} ms`)
}

/** Runs a program in the pod with all names as its arguments. */
async function inPod(command: string, ...args: readonly string[]) {
  return parse(await mustRun(command, args, { netns: net.pod.name }))
}

test('getent (glibc) resolves cluster and external names', async () => {
  await resolvesAll(async (names) => {
    const found = new Map<string, readonly string[]>()
    for (const name of names) {
      // Exit code 2 means that there is no such name.
      const { output } = await runToEnd('getent', ['ahosts', name], { netns: net.pod.name })
      found.set(
        name,
        output.split('\n').flatMap((line) => line.split(' ')[0] || []),
      )
    }
    return found
  })
})

test('a program linked with glibc resolves cluster and external names', async () => {
  const program = await buildC(join(programs, 'lookup.c'), 'gcc')
  await resolvesAll((names) => inPod(program, ...names))
})

test('a static musl program resolves cluster and external names', async () => {
  const program = await buildC(join(programs, 'lookup.c'), 'musl-gcc')
  await resolvesAll((names) => inPod(program, ...names))
})

test("Node's dns.lookup resolves cluster and external names", async () => {
  await resolvesAll((names) => inPod(process.execPath, join(programs, 'lookup.mjs'), ...names))
})

test("Go's own resolver resolves cluster and external names", async () => {
  const program = await buildGo(join(programs, 'lookup.go'))
  await resolvesAll((names) => inPod(program, ...names))
})

test('dig +search resolves cluster and external names', async () => {
  await resolvesAll(async (names) => {
    const found = new Map<string, readonly string[]>()
    for (const name of names) {
      const questions = ['A', 'AAAA'].flatMap((type) => [name, type])
      const output = await mustRun(
        'dig',
        ['+search', '+short', '+tries=1', '+time=2', ...questions],
        { netns: net.pod.name },
      )
      // A CNAME comes out as a name with a dot at its end.
      found.set(
        name,
        output.split('\n').filter((line) => line !== '' && !line.endsWith('.')),
      )
    }
    return found
  })
})

test.run()
