/**
 * Asks CoreDNS and neardns the same questions and says where they differ. CoreDNS also plays the resolvers outside. For a cluster that stands still: search-churn.ts is
 * for one that changes.
 */
import { askAllTcp, askAllUdp, type Question } from '../client/ask-all.ts'
import type { Server } from '../client/dns-client.ts'
import type { ReadMessage } from '../client/dns-message.ts'
import { withOwnersWord } from './owners-word.ts'
import { replySummary, ttlMax } from './search-summary.ts'

/** A denial's TTL is at most this, whatever CoreDNS allows. */
export const denialTtlMax = 5

export interface Differential {
  /** Replies of neardns that were compared. */
  replies: number
  /** One line for each reply that says something else than CoreDNS. */
  readonly wrong: string[]
  /** One line for each that may be kept longer than allowed, or has a wrong header. */
  readonly formFaults: string[]
  readonly rcodes: Map<number, number>
}

export interface DifferentialPlan {
  readonly direct: Server
  readonly proxies: readonly Server[]
  readonly questions: readonly Question[]
  /** The whole list is asked once more when what the first passes taught has run out. */
  readonly repeatAfterMs: number
}

/**
 * Cold, at once again from memory, and once more when memory has gone and only knowledge of the zone is left.
 * @returns what was found of each proxy
 */
export async function differential(plan: DifferentialPlan): Promise<Differential[]> {
  const { direct, proxies, questions, repeatAfterMs } = plan
  const found = proxies.map(emptyDifferential)
  const wants: ReadMessage[] = []
  const startMs = performance.now()
  for (let at = 0; at < questions.length; at += sliceSize) {
    const slice = questions.slice(at, at + sliceSize)
    const said = await askAllTcp(direct, slice.map(lowerCase))
    const want = await withOwnersWord(slice, said, direct)
    wants.push(...want)
    // Half of the clients have EDNS.
    const options = (at / sliceSize) % 2 === 0 ? { ednsBytes: 1232 } : {}
    for (const pass of ['cold', 'warm']) {
      const ask = async (proxy: Server) => await askAllUdp(proxy, slice, options)
      const got = await Promise.all(proxies.map(ask))
      for (const [i, replies] of got.entries())
        compare(found[i], { pass, asked: slice, want, got: replies })
    }
  }
  const waitMs = startMs + repeatAfterMs - performance.now()
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  const later = await Promise.all(proxies.map(async (proxy) => await askAllUdp(proxy, questions)))
  for (const [i, replies] of later.entries())
    compare(found[i], { pass: 'later', asked: questions, want: wants, got: replies })
  return found
}

function emptyDifferential(): Differential {
  return { replies: 0, wrong: [], formFaults: [], rcodes: new Map() }
}

const sliceSize = 500

function lowerCase({ name, type }: Question): Question {
  return { name: name.toLowerCase(), type }
}

interface Round {
  readonly pass: string
  readonly asked: readonly Question[]
  readonly want: readonly ReadMessage[]
  readonly got: readonly ReadMessage[]
}

function compare(found: Differential | undefined, { pass, asked, want, got }: Round): void {
  if (found === undefined) throw new Error('no place for what is found')
  for (const [index, { name, type }] of asked.entries()) {
    const [a, b] = [want[index], got[index]]
    if (a === undefined || b === undefined) throw new Error(`${name} ${type}: not asked`)
    const [wantText, gotText] = [replySummary(a), replySummary(b)]
    if (wantText !== gotText)
      found.wrong.push(`${pass} ${name} ${type}: CoreDNS ${wantText}, neardns ${gotText}`)
    const fault = formFault(a, b)
    if (fault !== undefined) found.formFaults.push(`${pass} ${name} ${type}: ${fault}`)
    found.replies += 1
    found.rcodes.set(b.rcode, (found.rcodes.get(b.rcode) ?? 0) + 1)
  }
}

/** What every reply must be, besides right: stubs drop replies without RA, and keep what a TTL allows. */
function formFault(want: ReadMessage, got: ReadMessage): string | undefined {
  if (!got.qr || !got.rd || !got.ra || got.tc) return `flags ${got.flags.toString(16)}`
  if (want.aa && got.rcode === 3 && !got.aa) return 'a denial without AA'
  if (ttlMax(got) > ttlMax(want)) return `TTL ${ttlMax(got)}, CoreDNS ${ttlMax(want)}`
  const isNegative = got.answers.length === 0
  if (isNegative && ttlMax(got) > denialTtlMax) return `negative TTL ${ttlMax(got)}`
  return undefined
}

/** For people: the first lines of many. */
export function firstOf(faults: readonly string[], total: number): string {
  return `${faults.length} of ${total}:\n  ${faults.slice(0, 25).join('\n  ')}`
}
