/**
 * Goal: the daemon and the real kube-proxy live on one node: the daemon is ready beside the kubelet's rules, kube-proxy goes on writing
 * its own, and the standby is the CoreDNS pods of now, read out of the rules of each version and mode; what cannot be read is said.
 * Method: nodes in network namespaces with the real kube-proxy on a real API server. CoreDNS answers with the address of whoever
 * asked. Each world ends with the check that no sync of kube-proxy has failed.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { olderKubeProxyVersions } from '../cluster/build/versions.ts'
import type { Neardns } from '../support/neardns.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { droppedByKubelet } from '../support/world/kube-kubelet-rules.ts'
import {
  clusterIp,
  clusterIp6,
  linkLocal,
  linkLocal6,
  NodeWorld,
} from '../support/world/node-world.ts'
import {
  isMatrixRun,
  onlyMode,
  type RealProxyMode,
  usualMode,
} from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 90_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'conntrack', 'setpriv'] as const
const test = needing(suite('real/interception-kube-proxy'), ...programs, 'kubernetes')

const isLong = process.env['NEARDNS_INTERCEPTION_LONG'] === '1'
interface Combination {
  readonly proxy: RealProxyMode
  readonly backend: 'nftables' | 'iptables'
}
const shortCombinations: readonly Combination[] = [
  { proxy: 'nftables', backend: 'nftables' },
  { proxy: 'iptables-nft', backend: 'nftables' },
  { proxy: 'iptables-legacy', backend: 'iptables' },
]
const combinations: readonly Combination[] = [
  ...shortCombinations,
  { proxy: 'iptables-nft', backend: 'iptables' },
  { proxy: 'iptables-legacy', backend: 'nftables' },
]
const wanted = combinations
  .slice(0, isLong || onlyMode !== undefined ? undefined : shortCombinations.length)
  .filter(({ proxy }) => proxy === usualMode(proxy))

/** For tests in which the backend is the daemon's to choose. */
const wantedModes = onlyMode === undefined ? (['nftables', 'iptables-nft'] as const) : [onlyMode]

/** After a change of CoreDNS's pods the standby may be the old one for as long. */
const followsMs = 2000
const all = [linkLocal, clusterIp, linkLocal6, clusterIp6]
const laterIp = '10.96.0.50'
const bothPods = { standby: ['10.78.0.2', '10.78.0.3'], standby6: ['fd78::2', 'fd78::3'] }

async function who(world: NodeWorld): Promise<string[]> {
  const answers: string[] = []
  for (const address of all) answers.push(await world.answeredBy(address))
  return answers
}

/** Somebody makes a Service while the daemon runs; kube-proxy must bring pods to it. */
async function addLaterService(world: NodeWorld, ip = laterIp): Promise<void> {
  const endpoints = [{ address: '10.78.0.2' }, { address: '10.78.0.3' }]
  const name = `later-${ip.replaceAll('.', '-')}`
  await world.cluster.addService({ name, clusterIps: [ip], endpoints })
  const works = async () => (await world.answeredBy(ip)) === 'coredns'
  await until('the Service made afterwards works', works, { timeoutMs: 10_000 })
}

async function readyStatus(world: NodeWorld): Promise<number> {
  const { status } = await world.host.call('fetch', { url: 'http://127.0.0.1:9253/ready' })
  return status
}

/** Targets of the standby as `rules show` names them, by family. */
async function standbyOf(world: NodeWorld, config: string) {
  const { output } = await world.rules(config, 'show')
  const row = /^standby +(.*)$/m.exec(output)?.[1] ?? ''
  const found = [...row.matchAll(/(\S+) port 53/g)].map(([, address = '']) => address).toSorted()
  return {
    standby: found.filter((address) => !address.includes(':')),
    standby6: found.filter((address) => address.includes(':')),
  }
}

/** Kills the daemon and asks: whatever answers now does so through the standby. */
async function standbyAnswers(world: NodeWorld, neardns: Neardns, addresses: readonly string[]) {
  await neardns.child.stop('SIGKILL')
  for (const address of addresses) {
    // With iptables the way is open once the lease has run out.
    const isOpen = async () => (await world.answeredBy(address)) === 'coredns'
    await until(`the standby of ${address} answers`, isOpen, { timeoutMs: 3000 })
    assert.equal(await world.answersOf(address), { coredns: 20 }, `each question to ${address}`)
  }
}

for (const { proxy, backend } of wanted) {
  const variant = proxy === 'iptables-legacy' ? 'legacy' : 'nft'

  test(`${backend} beside ${proxy}: ready beside the rules of the kubelet, and a Service made afterwards works`, () =>
    NodeWorld.with(proxy, async (world) => {
      const before = await droppedByKubelet(world.node, variant)
      await world.startNeardns(world.config({ mode: backend }, 'both'))
      await until('/ready', async () => (await readyStatus(world)) === 200)
      assert.equal(
        await who(world),
        all.map(() => 'neardns'),
      )
      await addLaterService(world)
      assert.is(await droppedByKubelet(world.node, variant), before, 'the kubelet drops nothing')
    }))

  test(`${backend} beside ${proxy}: the standby follows a roll-out of CoreDNS within ${followsMs} ms`, () =>
    NodeWorld.with(proxy, async (world) => {
      const config = world.config({ mode: backend }, 'both')
      assert.equal(await standbyOf(world, config), bothPods)
      const neardns = await world.startNeardns(config)
      await world.rollCoredns(4, 5)
      await delay(followsMs)
      await standbyAnswers(world, neardns, [linkLocal, linkLocal6])
    }))
}

/** A run of the matrix is about one version. */
if (!isMatrixRun) ofOlderReleases()

for (const proxy of wantedModes) {
  test(`an IPv6-only node beside ${proxy}: ready, taken, and the standby follows a roll-out`, () =>
    NodeWorld.with(
      proxy,
      async (world) => {
        const config = world.config({}, 'v6')
        const neardns = await world.startNeardns(config)
        await until('/ready', async () => (await readyStatus(world)) === 200)
        await world.nodeRun('conntrack', ['-F'])
        for (const address of [linkLocal6, clusterIp6]) {
          assert.is(await world.answeredBy(address), 'neardns')
          assert.equal(await world.trackedFromPod(address), [], `${address} is not tracked`)
        }
        await world.rollCoredns(4, 5)
        await delay(followsMs)
        await standbyAnswers(world, neardns, [linkLocal6])
      },
      { isIpv6Only: true },
    ))
}

for (const proxy of wantedModes) {
  test(`beside ${proxy}: a ClusterIP that kube-proxy does not know is no standby, which is said; once it is known its pods are`, () =>
    NodeWorld.with(proxy, async (world) => {
      const config = world.linkLocalConfig(laterIp)
      assert.equal(await standbyOf(world, config), { standby: [], standby6: [] })
      const neardns = await world.startNeardns(config)
      await neardns.child.line((line) => line.includes('standby_unknown'), 5000)
      assert.not.match(
        await world.nodeRun('nft', ['list', 'ruleset']),
        new RegExp(`dnat .*${laterIp}`),
      )
      await addLaterService(world)
      await delay(followsMs)
      await standbyAnswers(world, neardns, [linkLocal])
    }))
}

test('kube-proxy changes its mode and changes it back under the daemon: the standby is right each time', () => {
  const first = usualMode('iptables-nft')
  const second = first === 'nftables' ? 'iptables-nft' : 'nftables'
  return NodeWorld.with(first, async (world) => {
    for (const [i, proxy] of ([second, first] as const).entries()) {
      const neardns = await world.startNeardns(world.config({}, 'both'))
      await world.useKubeProxy(proxy)
      await delay(followsMs)
      assert.equal(
        await who(world),
        all.map(() => 'neardns'),
      )
      await addLaterService(world, `10.96.0.${60 + i}`)
      await standbyAnswers(world, neardns, [linkLocal, linkLocal6])
    }
  })
})

test('kube-proxy killed and started again under the daemon changes nothing for pods', () =>
  NodeWorld.with(usualMode('nftables'), async (world) => {
    const neardns = await world.startNeardns(world.config({}, 'both'))
    await world.cluster.proxy.kill()
    assert.equal(
      await who(world),
      all.map(() => 'neardns'),
    )
    await world.cluster.proxy.startAgain()
    await addLaterService(world)
    await standbyAnswers(world, neardns, [linkLocal, linkLocal6])
  }))

/** Reading the tables of iptables-legacy takes a raw socket. */
test('iptables-legacy without NET_RAW: it is said what cannot be read, and no standby is guessed', () =>
  NodeWorld.with('iptables-legacy', async (world) => {
    const neardns = await world.startUnprivileged(
      world.config({}, 'both'),
      '+net_bind_service,+net_admin',
    )
    const line = await neardns.line((text) => text.includes('NET_RAW'), 10_000)
    assert.match(line, 'legacy')
    const rules = await world.nodeRun('nft', ['list', 'ruleset'])
    assert.not.match(rules, /dnat .*(10\.96\.0\.|fd96::)/, 'no ClusterIP is taken for a pod')
    assert.not.match(await world.nodeRun('iptables-nft-save', []), 'NEARDNS')
  }))

test('iptables-legacy with NET_RAW: its rules are read with the capabilities of the DaemonSet', () =>
  NodeWorld.with('iptables-legacy', async (world) => {
    const config = world.config({}, 'both')
    const neardns = await world.startUnprivileged(config)
    assert.equal(
      await who(world),
      all.map(() => 'neardns'),
    )
    await neardns.stop('SIGKILL')
    const isOpen = async () => (await world.answeredBy(linkLocal)) === 'coredns'
    await until('the standby answers', isOpen)
    assert.equal(await world.answersOf(linkLocal), { coredns: 20 })
  }))

test.run()

function ofOlderReleases(): void {
  const needed = [...programs, 'kubernetes', 'kube-proxies'] as const
  const olderTest = needing(suite('real/interception-kube-proxy of older releases'), ...needed)
  const modes = isLong ? (['nftables', 'iptables-nft'] as const) : (['nftables'] as const)
  for (const version of olderKubeProxyVersions) {
    for (const proxy of modes) {
      olderTest(
        `beside ${proxy} of kube-proxy ${version} the standby is both pods of CoreDNS`,
        () =>
          NodeWorld.with(
            proxy,
            async (world) => {
              const config = world.config({}, 'both')
              assert.equal(await standbyOf(world, config), bothPods)
              const neardns = await world.startNeardns(config)
              await addLaterService(world)
              await standbyAnswers(world, neardns, [linkLocal, linkLocal6])
            },
            { version },
          ),
      )
    }
  }
  olderTest.run()
}
