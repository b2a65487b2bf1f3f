/**
 * Goal: what changes on a node is seen when rules have changed, and costs one number when they have not.
 * Method: scripted nftables whose generation a test moves, and the captures of real kube-proxies.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostFacts } from '../../src/host/facts.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'
import { NodeFollower } from '../../src/host/node-follower.ts'
import { facts, settings } from './made-plan.ts'
import { replayedNftables } from './replayed-nftables.ts'
import { said, scriptedRun } from './scripted-run.ts'

const test = suite('host/node-follower')

/** A follower of a node whose kube-proxy is that of a capture. */
function following(capture: string, seen: Partial<HostFacts>, changes: object = {}) {
  const state = { generation: 1, reads: 0 }
  const replayed = replayedNftables(capture)
  const nftables: Nftables = {
    ...replayed,
    generation: async () => state.generation,
    rules: async (at) => {
      state.reads += 1
      // The capture was made while kube-proxy was in one mode only: the chains of the other are not there.
      return await replayed.rules(at).catch(() => [])
    },
  }
  const { run, ran } = scriptedRun({ 'iptables-legacy-save': said('') })
  const wanted = { settings: settings(changes), clusterUpstreams: [] }
  const tools = { run, nftables, readProc: async () => '' }
  return { follower: new NodeFollower(tools, wanted, { ...facts, ...seen }), state, ran }
}

const nftMode = { kubeProxy: 'nftables' } as const

test('the first look reads, the next ones do not while nobody has changed rules', async () => {
  const { follower, state } = following('kube-proxy-nftables-1.37.2', nftMode)
  const found = await follower.look()
  assert.equal(typeof found === 'object' && found.targets.map(({ address }) => address), [
    '10.78.0.2',
    '10.78.0.3',
  ])
  const { reads } = state
  assert.equal([await follower.look(), await follower.look()], [undefined, undefined])
  assert.is(state.reads, reads)
  state.generation += 1
  assert.type(await follower.look(), 'object')
})

test('a kube-proxy that has changed its mode wants a thorough look', async () => {
  const iptables = following('kube-proxy-iptables-1.37.2-trixie', nftMode)
  assert.is(await iptables.follower.look(), 'all')
  const nftables = following('kube-proxy-nftables-1.37.2', { kubeProxy: 'iptables' })
  assert.is(await nftables.follower.look(), 'all')
  const started = following('kube-proxy-nftables-1.37.2', { kubeProxy: 'none' })
  assert.is(await started.follower.look(), 'all', 'it had not started yet')
  const same = following('kube-proxy-iptables-1.37.2-trixie', { kubeProxy: 'iptables' })
  assert.type(await same.follower.look(), 'object')
})

test('with IPVS no rules tell of the mode', async () => {
  const { follower } = following('kube-proxy-nftables-1.37.2', { kubeProxy: 'ipvs' })
  assert.type(await follower.look(), 'object')
})

test('pods that were named are not looked for', async () => {
  const named = { standbyTo: ['10.9.9.9:53'] }
  const { follower } = following('kube-proxy-nftables-1.37.2', nftMode, named)
  assert.is(await follower.look(), undefined)
})

test('a Service that gives fewer pods than before wants a thorough look', async () => {
  const absent = { clusterIps: ['10.96.0.99'] }
  const known = following('kube-proxy-nftables-1.37.2', { ...nftMode, standbyGaps: ['x'] }, absent)
  assert.type(await known.follower.look(), 'object', 'that was known')
  const lost = following('kube-proxy-nftables-1.37.2', nftMode, absent)
  assert.is(await lost.follower.look(), 'all')
})

const legacySeen = { kubeProxy: 'iptables', iptables: 'legacy', standbyGaps: ['x'] } as const

test('iptables-legacy tells of no change: it is read again after 1.5 s, and not before', async () => {
  const { follower, ran } = following('ufw-0.36.2', legacySeen)
  assert.equal([await follower.look(), ran], [undefined, []])
  await delay(1600)
  assert.type(await follower.look(), 'object')
  assert.equal(ran, ['iptables-legacy-save -t nat'])
  assert.is(await follower.look(), undefined, 'not again at once')
})

test('nftables rules beside kube-proxy in iptables-legacy matter only if they are of a kube-proxy', async () => {
  const beside = following('ufw-0.36.2', legacySeen)
  assert.is(await beside.follower.look(), undefined)
  const changed = following('kube-proxy-nftables-1.37.2', legacySeen)
  assert.is(await changed.follower.look(), 'all')
})

test('without nftables and without legacy rules nothing is looked at', async () => {
  const { run, ran } = scriptedRun()
  const tools = { run, nftables: 'the kernel has no nf_tables', readProc: async () => '' }
  const wanted = { settings: settings(), clusterUpstreams: [] }
  assert.is(await new NodeFollower(tools, wanted, facts).look(), undefined)
  assert.equal(ran, [])
})

test.run()
