/**
 * Goal: started as each kind of manifest starts a node-cache, neardns serves at the expected addresses, its probes and metrics answer, and SIGTERM
 * and SIGKILL leave what docs/nodelocal.md says. Method: the bundle in a mount namespace, with the capabilities and the memory cgroup of the manifest, on
 * a node with the real kube-proxy. Three sets; NEARDNS_NODE_CACHE_LONG=1 (`npm run test:node-cache-long`) takes all.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'
import { NodeWorld } from '../../support/world/node-world.ts'
import { type ArgumentSet, argumentSets, type Serves } from './argument-sets.ts'
import { Bundle, Pod } from './pod.ts'

const isLong = process.env['NEARDNS_NODE_CACHE_LONG'] !== undefined
export const testTimeoutMs = isLong ? 600_000 : 120_000

const programs = [
  'coredns',
  'netns',
  'nft',
  'iptables',
  'conntrack',
  'clang',
  'kubernetes',
  'setpriv',
] as const
const test = needing(suite('real/node-cache/argument-sets'), ...programs)

const patience = { timeoutMs: 30_000 }

async function answer(world: NodeWorld, { isInPod }: ArgumentSet, address: string) {
  if (isInPod !== true) return await world.answeredBy(address)
  // CoreDNS hears the pod there, whoever of its processes asks.
  return (await world.answeredBy(address, world.host)) === 'nobody' ? 'nobody' : 'neardns'
}

async function isPage(world: NodeWorld, { isInPod }: ArgumentSet, at: string, text: RegExp) {
  const from = isInPod === true ? world.client : world.host
  const { status, body } = await from.call('fetch', { url: `http://${at}` })
  return status === 200 && text.test(body)
}

async function serves(world: NodeWorld, set: ArgumentSet, wanted: Serves): Promise<void> {
  for (const address of wanted.at) {
    await until(
      `${set.name}: served at ${address}`,
      async () => (await answer(world, set, address)) === 'neardns',
      patience,
    )
  }
  const pages = [
    [`${wanted.health}/health`, /^OK/],
    ...wanted.metrics.map((at) => [`${at}/metrics`, /^# HELP/] as const),
  ] as const
  for (const [at, text] of pages) {
    await until(
      `${set.name}: ${at}`,
      () => isPage(world, set, at, text).catch(() => false),
      patience,
    )
  }
}

async function leaves(world: NodeWorld, set: ArgumentSet, { at, left }: Serves): Promise<void> {
  const wanted = left.join()
  await until(
    `${set.name}: left to ${wanted}`,
    async () => {
      const now: string[] = []
      for (const address of at) now.push(await answer(world, set, address))
      return now.join() === wanted
    },
    patience,
  )
}

async function tryOut(world: NodeWorld, set: ArgumentSet, bundle: Bundle): Promise<void> {
  const start = () => new Pod(set, set.isInPod === true ? world.pod : world.node, bundle)
  const wanted = set.serves
  if ('exit' in wanted) {
    const pod = start()
    assert.is((await pod.child.exited).code, wanted.exit, set.name)
    assert.match(pod.child.lines.join('\n'), wanted.says, set.name)
    await pod.stop('SIGKILL')
    return
  }
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const pod = start()
    try {
      await serves(world, set, wanted)
    } catch (error) {
      const said = pod.child.lines.slice(-12).join('\n')
      throw new Error(`${String(error)}\n${said}`, { cause: error })
    } finally {
      await pod.stop(signal)
    }
    // A kill cannot be told what to take away.
    const isKept = signal === 'SIGKILL' && set.args.includes('-skipteardown=false')
    const left = isKept ? wanted.left.map(() => 'coredns' as const) : wanted.left
    await leaves(world, set, { ...wanted, left })
  }
}

test(
  isLong ? 'all argument sets, some beside each kube-proxy, IPv6 alone' : 'some argument sets',
  async () => {
    const bundle = new Bundle()
    try {
      const short = argumentSets.filter(({ isShort }) => isShort === true)
      const tryAll = (sets: readonly ArgumentSet[]) => async (world: NodeWorld) => {
        for (const set of sets) {
          await tryOut(world, set, bundle)
          await world.rules(world.config(), 'remove')
        }
      }
      await NodeWorld.with('iptables-nft', tryAll(isLong ? argumentSets : short))
      if (!isLong) return
      for (const mode of ['iptables-legacy', 'nftables'] as const) {
        await NodeWorld.with(mode, tryAll(short))
      }
      const ofIpv6 = argumentSets.filter(({ name }) => name === 'IPv6 alone')
      await NodeWorld.with('iptables-nft', tryAll(ofIpv6), { isIpv6Only: true })
    } finally {
      bundle.remove()
    }
  },
)

test.run()
