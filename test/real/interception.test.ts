/**
 * Goal: the interception brings pods to the daemon on both address families, leaves no trace in conntrack, shares a node,
 * comes after NodeLocal DNSCache, says what goes wrong, and leaves a node byte for byte as it found it.
 * Method: nodes in network namespaces with the real kube-proxy on a real API server, real nft and iptables; CoreDNS answers with
 * the address of whoever asked, which tells who answered a pod. At the end of each world no sync of kube-proxy has failed.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildC } from '../support/build.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { faultText, loadThrough } from '../support/world/node-faults.ts'
import {
  clusterIp,
  clusterIp6,
  linkLocal,
  linkLocal6,
  NodeWorld,
  type ProxyMode,
} from '../support/world/node-world.ts'
import { onlyMode, usualMode } from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 60_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'conntrack', 'setpriv', 'gcc'] as const
const kubeTest = needing(suite('real/interception'), ...programs, 'kubernetes')
/** Nodes without kube-proxy need no Kubernetes. */
const bareTest = needing(suite('real/interception without kube-proxy'), ...programs)

const isLong = process.env['NEARDNS_INTERCEPTION_LONG'] === '1'
/** What unit tests show as well, or what takes its time. */
const longTest = isLong ? kubeTest : () => undefined
const longBareTest = isLong ? bareTest : () => undefined
const all = [linkLocal, clusterIp, linkLocal6, clusterIp6]

async function who(world: NodeWorld, addresses: readonly string[]): Promise<string[]> {
  const answers: string[] = []
  for (const address of addresses) answers.push(await world.answeredBy(address))
  return answers
}

const cases: readonly { proxy: ProxyMode; backend: string; isDefault: boolean }[] = [
  { proxy: 'nftables', backend: 'nftables', isDefault: true },
  { proxy: 'iptables-legacy', backend: 'iptables', isDefault: true },
  { proxy: 'iptables-legacy', backend: 'nftables', isDefault: false },
  { proxy: 'iptables-nft', backend: 'nftables', isDefault: false },
  { proxy: 'iptables-nft', backend: 'iptables', isDefault: false },
  { proxy: 'none', backend: 'iptables', isDefault: false },
  { proxy: 'none', backend: 'nftables', isDefault: false },
]

const wanted = cases.filter(({ proxy, isDefault }) =>
  onlyMode === undefined ? isDefault || isLong : proxy === onlyMode,
)
for (const { proxy, backend } of wanted) {
  const test = proxy === 'none' ? bareTest : kubeTest
  test(`${backend} beside ${proxy}: both families intercepted, untracked, and taken away without a trace`, () =>
    NodeWorld.with(proxy, async (world) => {
      await world.makeLegacyTables()
      // The kubelet has its canaries in these tables, and no kube-proxy its rules.
      if (proxy === 'none' && backend === 'iptables') await world.makeBuiltInChains()
      const before = await world.state()
      const standby = proxy === 'none' ? { standbyTo: ['10.78.0.2:53', '[fd78::2]:53'] } : {}
      const config = world.config({ mode: backend, ...standby }, 'both')
      const neardns = await world.startNeardns(config)
      await world.nodeRun('conntrack', ['-F'])
      if (proxy !== 'none')
        assert.equal(
          await who(world, all),
          all.map(() => 'neardns'),
        )
      for (const address of all) {
        const options = { tcp: true, timeoutMs: 1000 }
        const server = { host: address, port: 53 }
        await world.client.call('ask', { server, name: 'a.cluster.local', type: 'A', options })
        assert.equal(await world.trackedFromPod(address), [], `${address} is not tracked`)
      }
      const host = await world.host.call('ask', {
        server: { host: linkLocal, port: 53 },
        name: 'b.cluster.local',
        type: 'A',
      })
      if (proxy !== 'none') assert.is(host.reply?.answers.length, 1, 'the node itself is served')
      await neardns.stop()
      const served = proxy === 'none' ? [linkLocal, linkLocal6] : all
      assert.equal(
        await who(world, served),
        served.map(() => 'coredns'),
        'CoreDNS answers the first question on each',
      )
      const { code, output } = await world.rules(config, 'remove')
      assert.is(code, 0, output)
      assert.is(await world.state(), before)
    }))
}

for (const workers of [1, 2]) {
  kubeTest(
    `${workers} behind a parent: the addresses are there before anybody listens on them`,
    () =>
      NodeWorld.with(usualMode('nftables'), async (world) => {
        const neardns = await world.startNeardns(world.supervisedConfig(workers))
        const wanted = [linkLocal, clusterIp]
        const come = async () => (await who(world, wanted)).every((one) => one === 'neardns')
        await until('pods are brought here', come)
        await neardns.stop()
        assert.equal(await who(world, wanted), ['coredns', 'coredns'])
      }),
  )
}

kubeTest('onStop remove: an orderly end leaves the node as it was', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const before = await world.state()
    const config = world.config({ onStop: 'remove' })
    const neardns = await world.startNeardns(config)
    assert.is.not(await world.state(), before)
    await neardns.stop()
    assert.is(await world.state(), before)
  }),
)

kubeTest(
  'the capabilities of the DaemonSet are enough: user 0, NET_BIND_SERVICE, NET_ADMIN, NET_RAW, no new privileges',
  () =>
    NodeWorld.with(usualMode('iptables-nft'), async (world) => {
      const config = world.config({}, 'both')
      const neardns = await world.startUnprivileged(config)
      assert.equal(
        await who(world, all),
        all.map(() => 'neardns'),
      )
      await neardns.stop('SIGKILL')
      await until(
        'the kernel opens the way',
        async () => (await world.answeredBy(linkLocal)) === 'coredns',
      )
      assert.is(await world.answeredBy(clusterIp), 'coredns')
    }),
)

longTest('without NET_ADMIN the daemon says so and what to do, and pods have DNS', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const config = world.config({ clusterIps: [] })
    const neardns = await world.startUnprivileged(config, '+net_bind_service')
    const line = await neardns.line((text) => text.includes('no_permission'), 5000)
    assert.match(line, 'NET_ADMIN')
    await neardns.exited
    assert.is(await world.answeredBy(clusterIp), 'coredns')
  }),
)

kubeTest(
  "what NodeLocal DNSCache leaves behind when killed takes a node's DNS down; our start brings it back",
  () =>
    NodeWorld.with(usualMode('iptables-nft'), async (world) => {
      await world.leaveNodeLocalBehind()
      const dead = await who(world, [linkLocal, clusterIp])
      assert.equal(dead, ['nobody', 'nobody'], 'this is the complaint')
      const neardns = await world.startNeardns(world.config())
      assert.equal(await who(world, [linkLocal, clusterIp]), ['neardns', 'neardns'])
      const saved = await world.nodeRun('iptables-nft-save', [])
      assert.not.match(saved, 'NodeLocal DNS Cache')
      assert.not.match(
        saved,
        /-A OUTPUT -s 169\.254\.20\.10\/32 -p tcp -m tcp --sport 53 -j (CT|NOTRACK)/,
      )
      await neardns.child.stop('SIGKILL')
      await until('CoreDNS answers', async () => (await world.answeredBy(linkLocal)) === 'coredns')
    }),
)

bareTest(
  'a firewall that drops what nobody accepts lets DNS through, and nothing stays in it',
  () =>
    NodeWorld.with('none', async (world) => {
      const firewall = `table inet fw {
  chain in { type filter hook input priority 0; policy drop; iif lo accept; ct state established,related accept; }
}`
      await world.nodeRun('nft', ['-f', '-'], firewall)
      await world.nodeRun('iptables-nft', ['-P', 'INPUT', 'DROP'])
      await world.nodeRun('iptables-nft', [
        '-A',
        'INPUT',
        '-m',
        'conntrack',
        '--ctstate',
        'ESTABLISHED',
        '-j',
        'ACCEPT',
      ])
      await world.nodeRun('iptables-nft', ['-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT'])
      const before = await world.state()
      const config = world.directConfig()
      const neardns = await world.startNeardns(config)
      assert.is(await world.answeredBy(linkLocal), 'neardns')
      await neardns.stop()
      const { code, output } = await world.rules(config, 'remove')
      assert.is(code, 0, output)
      assert.is(await world.state(), before)
    }),
)

longTest('two daemons on one node: the end of either leaves the other intercepting', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const one = await world.startNeardns(world.config())
    const other = await world.startNeardns(world.otherConfig())
    assert.equal(await who(world, [linkLocal, clusterIp, '169.254.20.11']), [
      'neardns',
      'neardns',
      'neardns',
    ])
    await one.child.stop('SIGKILL')
    await until(
      'the first one is gone',
      async () => (await world.answeredBy(linkLocal)) === 'coredns',
    )
    assert.is(await world.answeredBy('169.254.20.11'), 'neardns')
    await other.stop()
  }),
)

longBareTest(
  'kube-proxy in IPVS mode: its ClusterIP is left alone, the link-local address is taken with a standby',
  () =>
    NodeWorld.with('none', async (world) => {
      await world.node.ip('link', 'add', 'kube-ipvs0', 'type', 'bridge')
      await world.node.ip('addr', 'add', `${clusterIp}/32`, 'dev', 'kube-ipvs0')
      // An imitation of the link that it makes: this kernel has no IPVS that a kube-proxy could use. The standby is named.
      const neardns = await world.startNeardns(world.directConfig({ clusterIps: [clusterIp] }))
      assert.is(await world.answeredBy(linkLocal), 'neardns')
      assert.match(await world.node.ip('addr', 'show', 'dev', 'kube-ipvs0'), clusterIp)
      assert.is(await world.metric('neardns_interception_active', clusterIp), 0)
      assert.is(await world.metric('neardns_interception_info', 'kube_proxy="ipvs"'), 1)
      await neardns.child.stop('SIGKILL')
      await until('the standby', async () => (await world.answeredBy(linkLocal)) === 'coredns')
    }),
)

longTest('a kube-proxy that starts after us is found, and its pods become the standby', () =>
  NodeWorld.with('none', async (world) => {
    const neardns = await world.startNeardns(world.config({ standbySeconds: 1 }))
    await world.useKubeProxy(usualMode('iptables-nft'))
    const knows = async () =>
      /dnat ip to .*10\.78\.0\.2/.test(await world.nodeRun('nft', ['list', 'ruleset']))
    await until('the standby knows the pods', knows, { timeoutMs: 15_000, everyMs: 200 })
    assert.is(await world.answeredBy(linkLocal), 'neardns')
    await neardns.child.stop('SIGKILL')
    await until('CoreDNS', async () => (await world.answeredBy(linkLocal)) === 'coredns')
  }),
)

/**
 * Kernels before 5.7 drop one of two packets of one socket that race through DNAT to different pods: the client waits 5 s. Newer ones
 * settle the clash, which is as good as the loss for showing that the race is run.
 */
longTest('A and AAAA at once from one socket clash in conntrack without, and never with us', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const source = new URL('../support/programs/paired-queries.c', import.meta.url).pathname
    const program = await buildC(source, 'gcc')
    const race = async () => {
      const before = await world.clashes()
      const lost = Number(await world.pod.exec(program, clusterIp, '500'))
      return { lost, clashes: (await world.clashes()) - before }
    }
    const without = await race()
    const neardns = await world.startNeardns(world.config())
    await world.answeredBy(clusterIp)
    const withUs = await race()
    process.stdout.write(
      `  500 pairs of A and AAAA: ${without.clashes} clashes, ${without.lost} lost without; ${withUs.clashes} and ${withUs.lost} with\n`,
    )
    assert.ok(without.clashes + without.lost > 0, 'the race is run')
    assert.equal(withUs, { lost: 0, clashes: 0 })
    await neardns.stop()
  }),
)

longTest(
  'for comparison, the same daemon behind the rules of NodeLocal DNSCache: SIGKILL ends DNS',
  () =>
    NodeWorld.with(usualMode('iptables-nft'), async (world) => {
      await world.leaveNodeLocalBehind()
      const neardns = await world.startNeardns(world.config({ mode: 'none' }))
      const kill = () => {
        neardns.child.process.kill('SIGKILL')
      }
      const result = await loadThrough(world, kill, 3)
      process.stdout.write(`${faultText("NodeLocal's rules: SIGKILL", result)}\n`)
      assert.ok(result.gapMs >= 2900, `${result.gapMs} ms, until the load ended`)
      assert.equal(await who(world, [linkLocal, clusterIp]), ['nobody', 'nobody'])
    }),
)

longTest('a full conntrack: DNS through neardns goes on, and the operator is told', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const neardns = await world.startNeardns(world.config())
    assert.is(await world.answeredBy(linkLocal), 'neardns')
    await world.fillConntrack()
    for (let i = 0; i < 20; i++) {
      assert.equal(await who(world, [linkLocal, clusterIp]), ['neardns', 'neardns'])
    }
    await neardns.child.line((line) => line.includes('conntrack_full'), 15_000)
  }),
)

kubeTest('rules show prints the plan, a dry run changes nothing, apply puts up what lasts', () =>
  NodeWorld.with(usualMode('iptables-nft'), async (world) => {
    const config = world.config()
    const before = await world.state()
    const shown = await world.rules(config, 'show')
    assert.is(shown.code, 0, shown.output)
    assert.match(shown.output, 'standby     10.78.0.2 port 53, 10.78.0.3 port 53')
    assert.match(shown.output, 'flags owner')
    const dry = await world.rules(config, 'apply', '--dry-run')
    assert.is(dry.code, 0, dry.output)
    assert.match(dry.output, 'ip address replace 169.254.20.10/32 dev nodelocaldns')
    assert.is(await world.state(), before)
    assert.is((await world.rules(config, 'apply')).code, 0)
    assert.is(await world.answeredBy(linkLocal), 'coredns', 'nobody serves it yet')
    const listed = await world.rules(config, 'remove', '--dry-run')
    assert.match(listed.output, 'nft delete table inet neardns-standby-')
    assert.is((await world.rules(config, 'remove')).code, 0)
    assert.is(await world.state(), before)
  }),
)

kubeTest.run()
bareTest.run()
