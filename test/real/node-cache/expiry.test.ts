/**
 * Goal: the standby of a daemon that does not come back ends by itself, and that of one that goes on does not. Method: a time of two seconds in the place
 * of node-cache's day, on a node with the real kube-proxy.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'
import { linkLocal, NodeWorld } from '../../support/world/node-world.ts'

export const testTimeoutMs = 90_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'kubernetes'] as const
const test = needing(suite('real/node-cache/expiry'), ...programs)

const expirySeconds = 2

async function isIn(world: NodeWorld): Promise<boolean> {
  const text = await world.nodeRun('nft', ['list', 'ruleset'])
  return /set standby4 \{[^}]*elements = \{ 169\.254\.20\.10 /.test(text)
}

async function expires(world: NodeWorld, mode: 'nftables' | 'iptables'): Promise<void> {
  const config = world.config({ mode, standbyExpirySeconds: expirySeconds })
  const neardns = await world.startNeardns(config)
  const startMs = performance.now()
  await until('longer than the standby lasts', () => performance.now() - startMs > 3000)
  if (mode === 'nftables') assert.ok(await isIn(world), 'renewed')
  await neardns.child.stop('SIGKILL')
  await until('CoreDNS, or nobody on a slow machine', async () => {
    return (await world.answeredBy(linkLocal)) !== 'neardns'
  })
  await until('nobody', async () => (await world.answeredBy(linkLocal)) === 'nobody', {
    timeoutMs: 20_000,
  })
  assert.not(await isIn(world))
}

test('the standby answers after a kill, until its time is over; a daemon that goes on renews it', () =>
  NodeWorld.with('nftables', (world) => expires(world, 'nftables')))

test('the same with rules of iptables, as on kernels before 5.12', () =>
  NodeWorld.with('iptables-legacy', async (world) => {
    await expires(world, 'iptables')
    // For longer than the daemon's renewals: it serves from the standby between two of them.
    const config = world.config({ mode: 'iptables', standbyExpirySeconds: 60 })
    const neardns = await world.startNeardns(config)
    await neardns.child.stop('SIGKILL')
    await until('CoreDNS', async () => (await world.answeredBy(linkLocal)) === 'coredns')
  }))

test.run()
