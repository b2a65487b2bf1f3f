/** What `explain` tells of a question as values, for programs: the facts of `foretell`, without a sentence to be taken apart. Changes nothing. */
import { headerBytes, Rcode } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import type { Question } from '../wire/question.ts'
import type { CacheEntry } from './cache/entry.ts'
import { nameIn, typeIn } from './cache/key.ts'
import { type EntryView, viewOf } from './cache/listing.ts'
import type { Explanation } from './explain.ts'
import { ReplySource } from './facts.ts'
import type { Foretold } from './stages/stage.ts'
import { typeText } from './type-text.ts'

export interface QuestionView {
  /** Presentation form with trailing dot. */
  readonly name: string
  readonly type: string
}

export interface UpstreamState {
  readonly name: string
  readonly isUp: boolean
  readonly roundTripMs: number
  readonly inFlight: number
}

export interface DecisionView {
  /** The stage that decides; empty when none does. */
  readonly stage: string
  /** `reply`: at once; `wait`: somebody has to be asked, or is asked already. */
  readonly kind: 'reply' | 'wait' | 'none'
  /** For people. */
  readonly why: string
  /** Of a reply. */
  readonly rcode: string | null
  readonly source: keyof typeof ReplySource | null
  readonly records: readonly string[]
  /** Of a wait: the question that is asked, whether it is not under way yet, and whether the client's own is decided after it. */
  readonly asks: (QuestionView & { readonly starts: boolean; readonly isOnlyFirst: boolean }) | null
  readonly upstreams: readonly UpstreamState[]
  /** Of a wait: when the expired answer is given; null without one. */
  readonly staleAfterMs: number | null
}

export interface ExplanationView {
  readonly question: QuestionView
  /** What the client asked for, where a rule of `rewrites` made another question or answer of it. */
  readonly rewrittenFrom: string | null
  readonly zone: string
  readonly group: string
  readonly entry: EntryView | null
  /** Every stage that was asked, in order; the last decides. */
  readonly steps: readonly {
    readonly stage: string
    readonly evidence: readonly { readonly about: string; readonly text: string }[]
    /** Null: it has nothing to say. */
    readonly says: string | null
  }[]
  readonly decision: DecisionView
}

export interface ViewSources {
  /** The records of a message, one line each. */
  readonly records: (image: Uint8Array) => readonly string[]
  readonly upstreams: (group: string) => readonly UpstreamState[]
  readonly staleAfterMs: (entry: CacheEntry) => number
}

export function explanationView(
  { inquiry, route, rewriting, trace, outcome }: Explanation,
  sources: ViewSources,
): ExplanationView {
  const { entry, query, question, nowMs } = inquiry
  return {
    question: questionView(query, question),
    rewrittenFrom: rewriting?.of ?? null,
    zone: route.zone,
    group: route.group,
    entry: entry === undefined ? null : viewOf(entry, nowMs, sources.records),
    steps: trace.map(({ stage, evidence, foretold }) => ({
      stage,
      evidence: evidence.map(evidenceView),
      says: foretold?.why ?? null,
    })),
    decision: {
      ...undecided,
      stage: outcome.kind === 'pass' ? '' : (trace.at(-1)?.stage ?? ''),
      why: outcome.why,
      ...decisionOf(outcome, entry, sources),
    },
  }
}

const undecided = {
  kind: 'none',
  rcode: null,
  source: null,
  records: [],
  asks: null,
  upstreams: [],
  staleAfterMs: null,
} as const

function decisionOf(
  outcome: Foretold,
  entry: CacheEntry | undefined,
  { records, upstreams, staleAfterMs }: ViewSources,
): Partial<DecisionView> {
  if (outcome.kind === 'pass') return {}
  if (outcome.kind === 'reply') {
    const { rcode, source, image } = outcome
    return {
      kind: 'reply',
      rcode: rcodeText(rcode),
      source: sourceNames[source] ?? null,
      records: image === undefined ? [] : records(image),
    }
  }
  const { key, group, starts, follows, hasStale } = outcome
  const name = presentName(Buffer.from(nameIn(key), 'latin1'), 0)
  return {
    kind: 'wait',
    asks: { name, type: typeText(typeIn(key)), starts, isOnlyFirst: follows !== undefined },
    upstreams: upstreams(group),
    staleAfterMs: hasStale && entry !== undefined ? staleAfterMs(entry) : null,
  }
}

// Its numbers count from 0 in this order.
const sourceNames = Object.keys(ReplySource) as readonly (keyof typeof ReplySource)[]

function questionView(query: Uint8Array, { qtype }: Question): QuestionView {
  return { name: presentName(query, headerBytes), type: typeText(qtype) }
}

/** A stage writes a word, and what it knows. */
function evidenceView(line: string): { readonly about: string; readonly text: string } {
  const [, about = '', text = ''] = /^(\S+) +(.*)$/.exec(line) ?? []
  return { about, text }
}

function rcodeText(rcode: number): string {
  const found = Object.entries(Rcode).find(([, value]) => value === rcode)
  return found === undefined ? `RCODE${rcode}` : found[0].toUpperCase()
}
