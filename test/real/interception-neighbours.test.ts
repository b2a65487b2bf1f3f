/**
 * Goal: beside everybody else who writes rules on a node pods have DNS, by the daemon or, where a firewall keeps them from it, by
 * CoreDNS, which is said; a killed daemon leaves the way to CoreDNS; and what the others wrote is left as it was.
 * Method: nodes in network namespaces with the real kube-proxy; real ufw and firewalld in a chroot, the other neighbours' documented rules.
 * By default each neighbour once; in both backends beside both of kube-proxy's nft modes with NEARDNS_INTERCEPTION_LONG=1.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../support/needs.ts'
import { runToEnd, until } from '../support/process.ts'
import {
  Firewalld,
  IptablesText,
  type Neighbour,
  NftText,
  Sysctls,
  Ufw,
} from '../support/world/neighbours.ts'
import {
  fullRewrites,
  type NeighbourCase,
  neighbourCases,
} from '../support/world/neighbours-cases.ts'
import * as rules from '../support/world/neighbours-rules.ts'
import {
  clusterIp,
  clusterIp6,
  linkLocal,
  linkLocal6,
  NodeWorld,
} from '../support/world/node-world.ts'
import type { RealProxyMode } from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 120_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'conntrack', 'kubernetes'] as const
const test = needing(suite('real/interception-neighbours'), ...programs)
const firewallTest = needing(
  suite('real/interception-neighbours with their programs'),
  ...programs,
  'firewalls',
)

const isLong = process.env['NEARDNS_INTERCEPTION_LONG'] === '1'
interface Combination {
  readonly proxy: RealProxyMode
  readonly backend: 'nftables' | 'iptables'
}
const combinations: readonly Combination[] = [
  { proxy: 'nftables', backend: 'nftables' },
  { proxy: 'iptables-nft', backend: 'nftables' },
  { proxy: 'iptables-nft', backend: 'iptables' },
]

const all = [linkLocal, clusterIp, linkLocal6, clusterIp6]
/** A neighbour that writes its rules anew under the daemon is noticed in the next check, a second later; the machine is busy. */
const noticedMs = 6000

for (const one of neighbourCases) {
  const wanted = combinations.filter(({ proxy, backend }) =>
    isLong
      ? proxy === one.usual || one.isUsualOnly !== true
      : proxy === one.usual && backend === (one.usualBackend ?? 'nftables'),
  )
  for (const combination of wanted) lifeBeside(one, combination)
}

/** The neighbour first, then the daemon; the neighbour once more; the daemon's violent end, its next start and its removal. */
function lifeBeside(one: NeighbourCase, { proxy, backend }: Combination): void {
  const add = one.isProgram === true ? firewallTest : test
  add(`${backend} beside ${proxy} and ${one.name}`, () =>
    withNeighbour(proxy, one.make(), async (world, neighbour) => {
      const before = await world.state()
      const config = world.config({ mode: backend }, 'both')
      const killed = await world.startNeardns(config)
      const alive = one.alive ?? 'neardns'
      const isRight = () => answersAll(world, alive)
      await until(`pods are answered by ${alive}`, isRight, { timeoutMs: noticedMs })
      const ready = await readyPage(world)
      assert.is(ready.status, one.alive === undefined ? 200 : 503)
      if (one.alive !== undefined) assert.match(ready.body, 'pods ask CoreDNS directly')
      if (one.says !== undefined) {
        await killed.child.line((line) => one.says?.test(line) ?? false, 2000)
        assert.match((await world.rules(config, 'show')).output, /^firewall +\S+ \S+ \S+: /m)
      }
      if (neighbour.again !== undefined) {
        await neighbour.again(world)
        // It may be a second until it has done so, during which all is well.
        await new Promise((resolve) => setTimeout(resolve, 1500))
        await until('the same afterwards', isRight, { timeoutMs: noticedMs })
      }
      await killed.child.stop('SIGKILL')
      // Whoever answers now is CoreDNS, although a masquerade of pods makes it hear the node.
      const isOpen = async () => !(await who(world)).includes('nobody')
      await until('the way to CoreDNS is open', isOpen, { timeoutMs: 3000 })
      await (await world.startNeardns(config)).stop()
      const { code, output } = await world.rules(config, 'remove')
      assert.is(code, 0, output)
      assert.is(await world.state(), before)
    }),
  )
}

interface Switch {
  readonly name: string
  readonly make: () => Neighbour
  /** What makes it let everything in again, its chains staying where they are. */
  readonly off?: readonly string[]
  readonly isProgram?: boolean
}

const switches: readonly Switch[] = [
  {
    name: 'nftables with policy drop',
    make: () => new NftText(rules.strictNftables),
    off: ['nft', 'chain inet filter input { policy accept; }'],
  },
  {
    name: 'an INPUT that ends in REJECT',
    make: () => new IptablesText(rules.rhelInput),
    off: ['iptables-nft', '-D', 'INPUT', '-j', 'REJECT', '--reject-with', 'icmp-host-prohibited'],
  },
  { name: 'ufw', make: () => new Ufw(), isProgram: true },
]

for (const { name, make, off: [command, ...args] = [], isProgram } of switches) {
  const add = isProgram === true ? firewallTest : test
  add(
    `${name}, switched on and off under the daemon: its packets pass within seconds, and nothing of it stays`,
    () =>
      NodeWorld.with('iptables-nft', async (world) => {
        const config = world.config({}, 'both')
        const neardns = await world.startNeardns(config)
        await until('pods are answered', () => answersAll(world, 'neardns'))
        const neighbour = make()
        try {
          await neighbour.arrive(world)
          const isRight = () => answersAll(world, 'neardns')
          await until('pods are answered', isRight, { timeoutMs: noticedMs })
          if (command !== undefined) await world.nodeRun(command, args)
          await neighbour.leave?.()
          await neardns.stop()
          assert.is((await world.rules(config, 'remove')).code, 0)
          assert.not.match(await world.state(), 'neardns')
        } finally {
          await neighbour.end?.()
        }
      }),
  )
}

firewallTest('firewalld switched on under the daemon: pods have CoreDNS, and it is said', () =>
  NodeWorld.with('nftables', async (world) => {
    const neardns = await world.startNeardns(world.config({}, 'both'))
    await until('pods are answered', () => answersAll(world, 'neardns'))
    const firewalld = new Firewalld({ isTableOwned: true })
    try {
      await firewalld.arrive(world)
      await neardns.child.line((line) => line.includes('firewall_refuses'), noticedMs)
      await until('CoreDNS answers', () => answersAll(world, 'coredns'), { timeoutMs: noticedMs })
      assert.is((await readyPage(world)).status, 503)
    } finally {
      await firewalld.end()
    }
    await until('it is gone', () => answersAll(world, 'neardns'), { timeoutMs: noticedMs })
    assert.is((await readyPage(world)).status, 200)
  }),
)

for (const { name, commands, stdin = '' } of fullRewrites) {
  for (const backend of isLong ? (['nftables', 'iptables'] as const) : (['nftables'] as const)) {
    test(`${backend}: ${name} under the daemon: it answers on, and the standby is there`, () =>
      withNeighbour('iptables-nft', new IptablesText(rules.rhelInput), async (world) => {
        const neardns = await world.startNeardns(world.config({ mode: backend }, 'both'))
        await until('pods are answered', () => answersAll(world, 'neardns'))
        await world.cluster.proxy.kill()
        for (const [command = '', ...args] of commands) await world.nodeRun(command, args, stdin)
        // Both would do so by themselves in the course of a minute.
        await world.cluster.proxy.startAgain()
        await world.syncKubelet('iptables-nft')
        // The iptables backend looks at the tables but raw in every tenth check.
        const patience = { timeoutMs: backend === 'nftables' ? noticedMs : 15_000, everyMs: 200 }
        await until('pods are answered again', () => answersAll(world, 'neardns'), patience)
        const hasStandby = async () =>
          /dnat.* 10\.78\.0\.2|-j DNAT.*10\.78\.0\.2/.test(await standbyRules(world))
        await until('the standby is back', hasStandby, patience)
        await neardns.child.stop('SIGKILL')
        await until('CoreDNS', () => answersAll(world, 'coredns'), { timeoutMs: 3000 })
      }))
  }
}

test('the standby table deleted by somebody: it is back within seconds, which is counted', () =>
  NodeWorld.with('nftables', async (world) => {
    const neardns = await world.startNeardns(world.config({}, 'both'))
    const [table = ''] = /neardns-standby-\w+/.exec(await ruleset(world)) ?? []
    await world.nodeRun('nft', ['delete', 'table', 'inet', table])
    await until('it is back', async () => (await ruleset(world)).includes(table))
    const counted = () => world.metric('neardns_interception_troubles_total', 'rules_flushed')
    await until('it is counted', async () => (await counted()) > 0)
    await neardns.stop()
  }))

test('the table that intercepts cannot be taken away by anybody else', () =>
  NodeWorld.with('nftables', async (world) => {
    const neardns = await world.startNeardns(world.config({}, 'both'))
    const [table = ''] = /neardns-[0-9a-f]{8}\b/.exec(await ruleset(world)) ?? []
    const netns = world.node.name
    const deleted = await runToEnd('nft', ['delete', 'table', 'inet', table], { netns })
    assert.match(deleted.output, 'Operation not permitted')
    await world.cluster.proxy.kill()
    await world.nodeRun('nft', ['flush', 'ruleset'])
    assert.match(await ruleset(world), table)
    await neardns.stop()
  }))

/** As `nft list ruleset > /etc/nftables.conf` and a boot do it. nft before 0.9.9 does not print whose a table is. */
test('our tables, saved by somebody and loaded after our death, keep nothing from CoreDNS and go with the removal', () =>
  NodeWorld.with('nftables', async (world) => {
    const config = world.config({}, 'both')
    const neardns = await world.startNeardns(config)
    await until('pods are answered', () => answersAll(world, 'neardns'))
    const saved = (await ruleset(world)).match(/^table inet neardns-[\s\S]*?^}$/gm) ?? []
    assert.is(saved.length, 2)
    await neardns.child.stop('SIGKILL')
    const text = saved.join('\n').replaceAll(/flags (owner|timeout,owner)\n/g, '')
    await world.nodeRun('nft', ['-f', '-'], text)
    assert.match(await ruleset(world), /table inet neardns-[0-9a-f]{8} \{/)
    await until('CoreDNS', () => answersAll(world, 'coredns'), { timeoutMs: 4000 })
    const { code, output } = await world.rules(config, 'remove')
    assert.is(code, 0, output)
    assert.not.match(await world.state(), 'neardns')
  }))

/** Nothing of nat sees an untracked packet: that is no standby's fault, and the ClusterIP is as dead without us. */
test("somebody's NOTRACK for port 53 ends kube-proxy's DNS; pods are answered while the daemon lives", () =>
  withNeighbour('iptables-nft', new IptablesText(rules.notrackDns), async (world) => {
    assert.is(await world.answeredBy(clusterIp), 'nobody', 'without us')
    const neardns = await world.startNeardns(world.directConfig({ clusterIps: [clusterIp] }))
    for (const address of [linkLocal, clusterIp]) {
      assert.is(await world.answeredBy(address), 'neardns')
    }
    await neardns.stop()
  }))

test('a node that forwards nothing: pods are answered', () =>
  withNeighbour('nftables', new Sysctls(...rules.noForwarding), async (world) => {
    const neardns = await world.startNeardns(world.config({}, 'both'))
    await until('pods are answered', () => answersAll(world, 'neardns'))
    await neardns.stop()
  }))

test.run()
firewallTest.run()

async function withNeighbour(
  proxy: RealProxyMode,
  neighbour: Neighbour,
  body: (world: NodeWorld, neighbour: Neighbour) => Promise<void>,
): Promise<void> {
  await NodeWorld.with(proxy, async (world) => {
    try {
      await neighbour.arrive(world)
      await body(world, neighbour)
    } finally {
      await neighbour.end?.()
    }
  })
}

async function who(world: NodeWorld, addresses: readonly string[] = all): Promise<string[]> {
  const answers: string[] = []
  for (const address of addresses) answers.push(await world.answeredBy(address))
  answers.push(await world.answeredBy(linkLocal, world.client, true))
  return answers
}

async function answersAll(world: NodeWorld, wanted: 'neardns' | 'coredns'): Promise<boolean> {
  return (await who(world)).every((answer) => answer === wanted)
}

async function readyPage(world: NodeWorld): Promise<{ status: number; body: string }> {
  return await world.host.call('fetch', { url: 'http://127.0.0.1:9253/ready' })
}

async function ruleset(world: NodeWorld): Promise<string> {
  return await world.nodeRun('nft', ['list', 'ruleset'])
}

/** Rules of ours, in whichever backend's place. */
async function standbyRules(world: NodeWorld): Promise<string> {
  const saved = await world.nodeRun('iptables-nft-save', ['-t', 'nat'])
  const ours = saved.split('\n').filter((line) => line.startsWith('-A NEARDNS-'))
  const table = /^table inet neardns-standby[\s\S]*?^}/m.exec(await ruleset(world))?.[0] ?? ''
  return [...ours, table].join('\n')
}
