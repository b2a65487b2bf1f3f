/**
 * The demo, scene by scene: asks as pods would, counts the queries at the stand-ins, and prints each scene's account. Starts and
 * stops only the CoreDNS stand-in, whose failure is one of the scenes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Transport } from '../core/ports.ts'
import { RrType } from '../wire/constants.ts'
import {
  type AccountRow,
  type Paint,
  renderSceneSum,
  renderTable,
  renderTotals,
  sourceOf,
  type Totals,
} from './account.ts'
import { type AddressType, ask, type DemoReply } from './client.ts'
import { candidates, type SearchList } from './search-list.ts'
import type { Received, StandIn } from './stand-in.ts'

export interface Stage {
  /** The daemon's port on 127.0.0.1. */
  readonly port: number
  readonly coredns: StandIn
  readonly outside: StandIn
  readonly search: SearchList
  /** Changes the TTL of the CoreDNS stand-in's answers from now on. */
  setClusterTtl(seconds: number): void
}

export interface Telling {
  print(text: string): void
  readonly paint: Paint
  readonly signal: AbortSignal
}

/** kubeadm's `ttl 30` (the plugin's own default is 5). */
export const usualTtlSeconds = 30
/** Shorter than in any real CoreDNS: a demo should not wait for 30 s. */
const shortTtlSeconds = 1
/** Longer than the daemon's pause between two trials of an upstream that is down. */
const upstreamTrialMs = 1000

interface Scene {
  readonly title: string
  readonly remark: string
  /** Changes the stand-ins before the questions. */
  prepare?(): Promise<void>
  ask(): Promise<readonly AccountRow[]>
}

/**
 * Plays all scenes; ends early, between two of them, when `signal` is aborted.
 * @returns every row of the account, for tests
 */
export async function tellStory(
  stage: Stage,
  { print, paint, signal }: Telling,
): Promise<readonly AccountRow[]> {
  const told: AccountRow[] = []
  // Opens connections and has code compiled, so that the first row does not include the cost of starting.
  await lookUp(stage, 'kubernetes.default.svc')
  const before = receivedCounts(stage)
  for (const scene of [...quietDay(stage), ...faults(stage, signal)]) {
    await scene.prepare?.()
    if (signal.aborted) return told
    const rows = await scene.ask()
    told.push(...rows)
    print(`${paint('title', scene.title)}\n  ${scene.remark}\n\n${renderTable(rows, paint)}\n`)
    print(`${paint('faint', renderSceneSum(rows))}\n`)
  }
  print(`${paint('title', 'In all')}\n${renderTotals(totals(stage, told, before))}\n`)
  return told
}

function quietDay(stage: Stage): readonly Scene[] {
  return [
    {
      title: "A Service of the pod's own namespace, for the first time",
      remark: 'The first search domain fits, so there are two questions: A and AAAA.',
      ask: () => lookUp(stage, 'payments'),
    },
    {
      title: 'The same again',
      remark: 'Nothing has to leave the node.',
      ask: () => lookUp(stage, 'payments'),
    },
    {
      title: 'A name outside the cluster, for the first time',
      remark: 'Fewer than five dots: libc tries the search list before the name itself.',
      ask: () => lookUp(stage, 'api.example.com'),
    },
    {
      title: 'The same again',
      remark: 'That a name does not exist is remembered, too, as its SOA says (RFC 2308).',
      ask: () => lookUp(stage, 'api.example.com'),
    },
    {
      title: 'Twenty pods ask for one slow name at the same moment',
      remark: 'Its servers take 200 ms. Equal questions share an answer; a second is a hedge.',
      ask: () => inTurn(stage, ['slow.example.org'], 20),
    },
    {
      title: 'A name whose own servers are broken, twice',
      remark: 'A failure is shared for a moment as well (RFC 9520): retries do not pile up.',
      ask: () => inTurn(stage, ['broken.example.net', 'broken.example.net'], 1),
    },
  ]
}

function faults(stage: Stage, signal: AbortSignal): readonly Scene[] {
  const shop = stage.search.domains[0] ?? ''
  return [
    {
      title: 'A Service whose answer may be kept for one second',
      remark: 'The stand-in now says TTL 1: the next scene need not wait for half a minute.',
      prepare: async () => stage.setClusterTtl(shortTtlSeconds),
      ask: () => lookUp(stage, 'ledger'),
    },
    {
      title: 'CoreDNS is down, and that second is over',
      remark: 'What was known is served stale, and says so (RFC 8767, RFC 8914).',
      prepare: async () => {
        await stage.coredns.stop()
        await pause(shortTtlSeconds * 1000 + 200, signal)
      },
      ask: () => lookUp(stage, 'ledger'),
    },
    {
      title: 'CoreDNS is down, and the name was never asked before',
      remark: 'Nobody can know: the pod gets a quick SERVFAIL instead of a timeout.',
      ask: () => askPair(stage, `orders.${shop}`),
    },
    {
      title: 'CoreDNS is back, a second later',
      remark: 'An upstream that is down is tried again at intervals, not with every question.',
      prepare: async () => {
        await stage.coredns.start()
        stage.setClusterTtl(usualTtlSeconds)
        await pause(upstreamTrialMs, signal)
      },
      ask: () => askPair(stage, `db.${shop}`),
    },
  ]
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // Aborted: the caller checks the signal itself.
  }
}

/** As getaddrinfo does: A and AAAA together for each candidate, until one has an address. */
async function lookUp(stage: Stage, name: string): Promise<readonly AccountRow[]> {
  const rows: AccountRow[] = []
  for (const qname of candidates(name, stage.search)) {
    const pair = await askPair(stage, qname)
    rows.push(...pair)
    if (pair.some((row) => row.reply.addresses.length > 0)) break
  }
  return rows
}

async function askPair(stage: Stage, qname: string): Promise<readonly AccountRow[]> {
  return await Promise.all([askOnce(stage, qname, 'A', 1), askOnce(stage, qname, 'AAAA', 1)])
}

/** A questions for these names, one after the other, each from this many pods at once. */
async function inTurn(
  stage: Stage,
  qnames: readonly string[],
  askers: number,
): Promise<readonly AccountRow[]> {
  const rows: AccountRow[] = []
  for (const qname of qnames) rows.push(await askOnce(stage, qname, 'A', askers))
  return rows
}

/** One question, asked by several clients at once; the row shows the slowest of them. */
async function askOnce(
  stage: Stage,
  qname: string,
  type: AddressType,
  askers: number,
): Promise<AccountRow> {
  const before = receivedCounts(stage)
  const replies = await Promise.all(
    Array.from({ length: askers }, () => ask(stage.port, qname, type)),
  )
  const reply = replies.reduce(slower)
  const qtype = type === 'A' ? RrType.a : RrType.aaaa
  const isThis = (received: Received) => received.qname === qname && received.qtype === qtype
  const toCluster = stage.coredns.received.slice(before.coredns).filter(isThis).length
  const toOutside = stage.outside.received.slice(before.outside).filter(isThis).length
  const source = sourceOf(reply, toCluster, toOutside)
  return { qname, type, askers, reply, source, upstreamQueries: toCluster + toOutside }
}

function slower(one: DemoReply, other: DemoReply): DemoReply {
  return other.tookMs > one.tookMs ? other : one
}

interface ReceivedCounts {
  readonly coredns: number
  readonly outside: number
}

function receivedCounts(stage: Stage): ReceivedCounts {
  return { coredns: stage.coredns.received.length, outside: stage.outside.received.length }
}

function totals(stage: Stage, rows: readonly AccountRow[], before: ReceivedCounts): Totals {
  const toCluster = stage.coredns.received.slice(before.coredns)
  const overTcp = toCluster.filter(({ transport }) => transport === Transport.tcp).length
  return {
    rows,
    clusterQueriesTcp: overTcp,
    clusterQueriesUdp: toCluster.length - overTcp,
    outsideQueries: stage.outside.received.length - before.outside,
  }
}
