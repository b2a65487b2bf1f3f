/**
 * Goal: what pods notice when servers behind neardns die, hang or come back. The bars are those of docs and issue:
 * cached names never fail, misses recover within 1.2 s, a black-holed CoreDNS costs a hedge and not a time-out.
 * Method: one network namespace with real CoreDNS and unbound on loopback addresses, an open-loop load inside it, and
 * faults made with signals and with packets dropped on arrival. CoreDNS's own forward plugin runs as a peer: its
 * numbers are printed beside ours and judged by nobody.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type LoadQuery,
  type LoadRecord,
  type LoadResult,
  tally,
  tallyText,
} from '../support/client/load.ts'
import { Coredns } from '../support/coredns.ts'
import { Neardns } from '../support/neardns.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { Unbound } from '../support/unbound.ts'
import { Agent } from '../support/world/agent.ts'
import { Netns } from '../support/world/netns.ts'

const test = needing(suite('real/faults'), 'coredns', 'unbound', 'netns', 'iptables')

const [corednsA, corednsB] = ['127.0.0.11', '127.0.0.12'] as const
const [resolverA, resolverB] = ['127.0.0.21', '127.0.0.22'] as const
const proxy = { host: '127.0.0.1', port: 53 }
const queriesPerSecond = 2000
/** There is a trial every 600 ms at most: seen are 0 to 620 ms, and once, on a busy machine, just over a second. */
const recoveredAfterMs = 1200

let netns: Netns
let apiAgent: Agent
let loadAgent: Agent
let apiUrl: string

test.before(async () => {
  netns = await Netns.create('faults')
  apiAgent = new Agent(netns)
  loadAgent = new Agent(netns)
  apiUrl = (await apiAgent.call('kubeApi', { namespaces: 3, port: 6443 })).url
})

test.after(async () => {
  await loadAgent?.stop()
  await apiAgent?.stop()
  await netns?.remove()
})

/** A TTL of 5 s, CoreDNS's own default, so that names run out while a fault lasts. */
async function startCoredns(address: string): Promise<Coredns> {
  const corefile = `.:53 {
  bind ${address}
  kubernetes cluster.local {
    endpoint ${apiUrl}
    pods insecure
    ttl 5
  }
}
`
  const coredns = await Coredns.start({ netns: netns.name, corefile })
  await until('CoreDNS knows the cluster', () => answers(address))
  return coredns
}

async function answers(host: string): Promise<boolean> {
  const { name } = podQuery('hit', 0)
  const { reply } = await apiAgent.call('ask', {
    server: { host, port: 53 },
    name,
    type: 'A',
    options: { timeoutMs: 200 },
  })
  return reply?.rcode === 0
}

async function startNeardns(...upstreams: readonly string[]): Promise<Neardns> {
  return await Neardns.start({ netns: netns.name, args: ['--listen=127.0.0.1:53', ...upstreams] })
}

let misses = 0

/** Any dashed IP is a pod name to CoreDNS, so there are as many true names as one likes. */
function podQuery(group: 'hit' | 'miss', number: number): LoadQuery {
  const [high, low] = [number >> 8, number & 255]
  const block = group === 'hit' ? 100 : 101
  return {
    name: `10-${block}-${high}-${low}.team-1.pod.cluster.local`,
    type: 'A',
    group,
    rcode: 0,
    data: `10.${block}.${high}.${low}`,
  }
}

/** 50 names again and again, and every tenth query a name that nobody has asked before. */
function mixedQueries(seconds: number): LoadQuery[] {
  return Array.from({ length: seconds * queriesPerSecond }, (_, i) =>
    i % 10 === 9 ? podQuery('miss', misses++) : podQuery('hit', i % 50),
  )
}

async function warm(queries: readonly LoadQuery[]): Promise<void> {
  const { records } = await loadAgent.call('load', {
    server: proxy,
    queries,
    queriesPerSecond: 200,
  })
  assert.is(tally(records).right, queries.length, 'warm-up')
}

const hotNames = Array.from({ length: 50 }, (_, i) => podQuery('hit', i))

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

function ofGroup(
  result: LoadResult,
  group: string,
  sent: (record: LoadRecord) => boolean = () => true,
): LoadRecord[] {
  return result.records.filter((record) => record.group === group && sent(record))
}

function show(label: string, records: readonly LoadRecord[]): void {
  console.log(`  ${tallyText(label, tally(records))}`)
}

/** Says so when the machine was too busy to keep to the schedule; the bars below allow for it. */
function showLag(result: LoadResult): void {
  const share = (result.lateSends / result.records.length) * 100
  if (share < 1) return
  console.log(
    `  the load was ${share.toFixed(1)} % late, ${result.lagMaxMs.toFixed(0)} ms at worst`,
  )
}

function assertAllRight(records: readonly LoadRecord[], what: string): void {
  const faults = records.filter((record) => record.verdict !== 'right')
  const shown = faults
    .slice(0, 5)
    .map((r) => `${r.name} ${r.verdict} after ${r.latencyMs.toFixed(0)} ms`)
  assert.is(
    faults.length,
    0,
    `${what}: ${faults.length} of ${records.length} were not: ${shown.join(', ')}`,
  )
}

test('CoreDNS killed and started again under load: no cached name fails, misses recover within 1.2 s', async () => {
  const coredns = await startCoredns(corednsA)
  const neardns = await startNeardns(
    `--cluster-upstream=${corednsA}:53`,
    `--upstream=${corednsA}:53`,
  )
  try {
    await warm(hotNames)
    const running = loadAgent.call('load', {
      server: proxy,
      queries: mixedQueries(7),
      queriesPerSecond,
    })
    await sleep(1500)
    await coredns.kill()
    const killedMs = now()
    await sleep(2000)
    await coredns.startAgain()
    await until('CoreDNS is back', () => answers(corednsA))
    const backMs = now()
    const result = await running
    const outage = ofGroup(result, 'miss', (r) => r.sentMs >= killedMs - 50 && r.sentMs < backMs)
    const recovered = ofGroup(result, 'miss', (r) => r.sentMs > backMs + recoveredAfterMs)
    show('hits, whole run', ofGroup(result, 'hit'))
    show(`misses in the outage of ${(backMs - killedMs).toFixed(0)} ms`, outage)
    show('misses after the recovery', recovered)
    showLag(result)
    assertAllRight(ofGroup(result, 'hit'), 'cached names are answered')
    assert.ok(recovered.length > 100, `${recovered.length} misses after the recovery`)
    assertAllRight(recovered, 'misses after the recovery are answered')
    assert.is(tally(outage).lost, 0, 'misses in the outage get SERVFAIL, not silence')
    assert.ok(tally(outage).maxMs < 2000 + result.lagMaxMs, 'and they get it within 2 s')
  } finally {
    await neardns.stop()
    await coredns.stop()
  }
})

interface OneBlackHoled {
  readonly whole: LoadResult
  /** Misses sent while the black hole was there. */
  readonly misses: readonly LoadRecord[]
}

/** Runs the load against `server`, which is at `proxy`, while the second CoreDNS is a black hole from 1 s on; stops it. */
async function oneBlackHoled(label: string, server: Neardns | Coredns): Promise<OneBlackHoled> {
  try {
    await warm(hotNames)
    const queries = mixedQueries(5)
    const running = loadAgent.call('load', { server: proxy, queries, queriesPerSecond })
    await sleep(1000)
    await netns.blackHole(corednsB, 53)
    const cutMs = now()
    const whole = await running
    await netns.unblackHole(corednsB, 53)
    const during = ofGroup(whole, 'miss', (record) => record.sentMs >= cutMs - 100)
    show(`${label}: misses with one of two black-holed`, during)
    show(`${label}: hits`, ofGroup(whole, 'hit'))
    showLag(whole)
    return { whole, misses: during }
  } finally {
    await server.stop()
  }
}

test('one of two CoreDNS black-holed: misses stay below 300 ms at the 99th percentile', async () => {
  const first = await startCoredns(corednsA)
  const second = await startCoredns(corednsB)
  try {
    const neardns = await startNeardns(
      `--cluster-upstream=${corednsA}:53`,
      `--cluster-upstream=${corednsB}:53`,
      `--upstream=${corednsA}:53`,
    )
    const ours = await oneBlackHoled('neardns', neardns)
    const peer = await Coredns.start({ netns: netns.name, corefile: forwardCorefile() })
    await oneBlackHoled('CoreDNS forward', peer)
    const hits = ofGroup(ours.whole, 'hit')
    assertAllRight(hits, 'cached names are answered')
    assertAllRight(ours.misses, 'misses are answered')
    assert.ok(ours.misses.length > 300, `${ours.misses.length} misses while one was black-holed`)
    // Hits of the same run ask no upstream: what they take is this machine, 3 ms when it has nothing else to do.
    const [p99Ms, machineMs] = [tally(ours.misses).p99Ms, tally(hits).p99Ms]
    assert.ok(
      p99Ms < 300 + machineMs,
      `p99 ${p99Ms.toFixed(0)} ms, of hits ${machineMs.toFixed(0)} ms`,
    )
  } finally {
    await first.stop()
    await second.stop()
  }
})

function forwardCorefile(): string {
  return `.:53 {
  bind ${proxy.host}
  cache 30
  forward . ${corednsA}:53 ${corednsB}:53 {
    force_tcp
  }
}
`
}

/** Short-lived, so that the names have run out when the fault is there. */
const externalTtlSeconds = 2

function startResolver(address: string): Promise<Unbound> {
  return Unbound.start({
    netns: netns.name,
    address,
    port: 53,
    ttlSeconds: externalTtlSeconds,
    zones: { 'example.test': ['A 192.0.2.80'] },
  })
}

function externalQuery(label: string, fate: 'hit' | 'miss'): LoadQuery {
  return { name: `${label}.example.test`, type: 'A', group: fate, rcode: 0, data: '192.0.2.80' }
}

/** Both resolvers go away by `breakAll`: known names must be answered stale, others must fail soon. */
async function allResolversDown(
  label: string,
  breakAll: (resolvers: readonly Unbound[]) => Promise<void>,
) {
  const resolvers = [await startResolver(resolverA), await startResolver(resolverB)]
  const neardns = await startNeardns(
    `--cluster-upstream=${corednsA}:53`,
    `--upstream=${resolverA}:53`,
    `--upstream=${resolverB}:53`,
  )
  try {
    const known = Array.from({ length: 50 }, (_, i) => externalQuery(`known-${label}-${i}`, 'hit'))
    await warm(known)
    await breakAll(resolvers)
    await sleep(externalTtlSeconds * 1000 + 100)
    const queries = Array.from({ length: 600 }, (_, i) =>
      i % 10 === 9
        ? externalQuery(`new-${label}-${i}`, 'miss')
        : (known[i % 50] ?? externalQuery('', 'hit')),
    )
    const result = await loadAgent.call('load', {
      server: proxy,
      queries,
      queriesPerSecond: 200,
      lostAfterMs: 5000,
    })
    const failed = tally(ofGroup(result, 'miss'))
    show(`${label}: known names`, ofGroup(result, 'hit'))
    show(`${label}: new names`, ofGroup(result, 'miss'))
    showLag(result)
    assertAllRight(ofGroup(result, 'hit'), 'known names are answered')
    assert.is(failed.servfail, failed.sent, 'every new name gets SERVFAIL')
    assert.ok(
      failed.maxMs <= 3600 + result.lagMaxMs,
      `SERVFAIL within 3.6 s, not ${failed.maxMs.toFixed(0)} ms`,
    )
    const { reply } = await loadAgent.call('ask', {
      server: proxy,
      name: `known-${label}-0.example.test`,
      type: 'A',
    })
    const ttl = reply?.answers[0]?.ttl ?? 0
    assert.ok(ttl > 0 && ttl <= 30, `a stale answer has TTL ${ttl}, RFC 8767 recommends 30`)
  } finally {
    await neardns.stop()
    for (const resolver of resolvers) await resolver.stop()
  }
}

test('all external resolvers refuse: cached names are served stale, others get SERVFAIL', async () => {
  await allResolversDown('refused', async (resolvers) => {
    for (const resolver of resolvers) await resolver.kill()
  })
})

test('all external resolvers are black holes: cached names are served stale, others get SERVFAIL after three seconds, then one', async () => {
  try {
    await allResolversDown('black-holed', async () => {
      for (const address of [resolverA, resolverB]) await netns.blackHole(address, 53)
    })
  } finally {
    for (const address of [resolverA, resolverB]) await netns.unblackHole(address, 53)
  }
})

test.run()
