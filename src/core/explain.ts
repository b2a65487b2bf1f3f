/**
 * Tells what a question would get at this moment, and why: asks the resolver's own stages in order, and lets none of them commit.
 * So nothing is asked, counted or changed.
 */
import { headerBytes, Rcode, RrType } from '../wire/constants.ts'
import { presentName } from '../wire/name.ts'
import { plainQuery } from '../wire/query.ts'
import { Question, readQuestion } from '../wire/question.ts'
import type { CacheEntry } from './cache/entry.ts'
import { entryText } from './cache/entry-text.ts'
import { nameIn, typeIn } from './cache/key.ts'
import type { Asker } from './decision.ts'
import { ReplySource } from './facts.ts'
import type { Inquiry } from './inquiry.ts'
import type { Resolver } from './resolver.ts'
import type { Rewritten } from './rewriting.ts'
import type { Route, Router } from './router.ts'
import type { Foretold, Stage } from './stages/stage.ts'
import { typeText } from './type-text.ts'

/** Result of one stage. `foretold` is undefined when the stage has nothing to say. */
export interface TraceStep {
  readonly stage: string
  readonly evidence: readonly string[]
  readonly foretold: Foretold | undefined
}

export interface Explanation {
  readonly inquiry: Inquiry
  readonly route: Route
  /** What rules of the operator do to the question, if they do; then everything else is about the one that is asked. */
  readonly rewriting: { readonly of: string; readonly kind: Rewritten['kind'] } | undefined
  /** One step for each stage that was asked; the last one decides. */
  readonly trace: readonly TraceStep[]
  readonly outcome: Foretold
}

/** Texts that the core cannot make itself. */
export interface ExplainTexts {
  /** The records of a message, one line each. */
  readonly records: (image: Uint8Array) => readonly string[]
  /** The upstreams of a group and their state, one line each. */
  readonly upstreams: (group: string) => readonly string[]
  /** How long a client waits before it is given this expired answer, milliseconds. */
  readonly staleAfterMs: (entry: CacheEntry) => number
}

const undecided: Foretold = { kind: 'pass', why: 'no stage decides' }
const nameless: Foretold = {
  kind: 'reply',
  why: 'a rule of rewrites makes what is no name',
  source: ReplySource.local,
  rcode: Rcode.servfail,
  image: undefined,
}

/** @param name folded wire form, one character a byte */
export function foretell(
  { resolver, router }: { readonly resolver: Resolver; readonly router: Router },
  query: Uint8Array,
  question: Question,
  { nowMs, asker }: { readonly nowMs: number; readonly asker: Asker },
): Explanation {
  const rewritten = resolver.rewritten(query, question, asker)
  const asked = rewritten?.kind === 'asked' ? rewritten : { query, question }
  const inquiry = resolver.inquire(asked.query, asked.question, nowMs, asker)
  const route = router.route(inquiry.key.name, inquiry.key.nameBytes)
  const rewriting = rewritten && { of: questionText(query, question), kind: rewritten.kind }
  if (rewritten?.kind === 'nameless')
    return { inquiry, route, rewriting, trace: [], outcome: nameless }
  return { inquiry, route, rewriting, ...traced(resolver.stages, inquiry) }
}

function traced(
  stages: readonly Stage[],
  inquiry: Inquiry,
): Pick<Explanation, 'trace' | 'outcome'> {
  const trace: TraceStep[] = []
  let outcome = undecided
  for (const stage of stages) {
    const finding = stage.judge(inquiry)
    const foretold = finding && stage.foretell(inquiry, finding)
    trace.push({ stage: stage.name, evidence: stage.evidence?.(inquiry) ?? [], foretold })
    if (foretold === undefined) continue
    if (foretold.kind === 'pass') {
      for (const key of foretold.opens ?? []) inquiry.assumed.add(key)
      continue
    }
    outcome = foretold
    break
  }
  // A question that an earlier stage opens is in flight when this stage looks.
  if (outcome.kind === 'wait' && inquiry.assumed.has(outcome.key))
    outcome = { ...outcome, starts: false }
  return { trace, outcome }
}

/** A question in the form that `foretell` and `explainText` take. @param name folded wire form, one character a byte */
export function questionAbout(name: string, qtype: number): { query: Buffer; question: Question } {
  const query = plainQuery(name, qtype)
  const question = new Question()
  readQuestion(query, query.length, question)
  return { query, question }
}

/**
 * @returns lines for people, names in presentation form: what is known, what each stage says, what a client gets, the next step
 */
export function explainText(explanation: Explanation, texts: ExplainTexts): string[] {
  const { inquiry, route, rewriting, trace, outcome } = explanation
  const { entry, query, question, nowMs } = inquiry
  return [
    ...(rewriting === undefined ? [] : rewritingLines(rewriting)),
    questionText(query, question),
    line('zone', `${route.zone} -> upstream group "${route.group}"`),
    line('entry', entry === undefined ? 'nothing in the cache' : entryText(entry, nowMs)),
    ...trace.flatMap(({ stage, evidence, foretold }) => [
      ...evidence,
      ...(foretold?.kind === 'pass' ? [line(stage, foretold.why)] : []),
    ]),
    line('outcome', outcomeText(outcome, trace.at(-1)?.stage ?? '')),
    ...details(outcome, inquiry, texts),
  ]
}

function rewritingLines({ of, kind }: NonNullable<Explanation['rewriting']>): string[] {
  const texts = {
    asked: 'asked as the question below, whose answer is changed back',
    same: 'asked as it is, and the answer is changed',
    nameless: 'a rule makes of it what is no name',
  }
  return [of, line('rewrite', texts[kind])]
}

function questionText(query: Uint8Array, { qtype }: Question): string {
  return `${presentName(query, headerBytes)} ${typeText(qtype)}`
}

function outcomeText(outcome: Foretold, stage: string): string {
  const rcode = outcome.kind === 'reply' ? `${rcodeText(outcome.rcode)}: ` : ''
  return `${rcode}${outcome.why} [${stage}]`
}

function rcodeText(rcode: number): string {
  return mnemonic(Rcode, rcode, 'RCODE')
}

function details(outcome: Foretold, { question, entry }: Inquiry, texts: ExplainTexts): string[] {
  if (outcome.kind === 'pass') return []
  if (outcome.kind === 'reply') {
    const records = outcome.image === undefined ? [] : texts.records(outcome.image)
    return records.map((record) => line('record', record))
  }
  const { key, group, starts, follows, hasStale } = outcome
  const asked = `${presentName(Buffer.from(nameIn(key), 'latin1'), 0)} ${typeText(typeIn(key))}`
  const then =
    follows === undefined
      ? 'its answer is given'
      : `then ${typeText(question.qtype)} is decided anew`
  return [
    ...texts.upstreams(group).map((upstream) => line('upstream', upstream)),
    line('next', `${starts ? 'asks' : 'waits for'} ${asked}; ${then}`),
    ...(hasStale && entry !== undefined
      ? [line('next', `after ${texts.staleAfterMs(entry)} ms without an answer: the expired one`)]
      : []),
  ]
}

/** Aligns the texts in one column. */
function line(title: string, text: string): string {
  return `${title.padEnd(9)} ${text}`
}

/** @returns the key of a number in a registry, or the number after `prefix` */
function mnemonic(registry: Readonly<Record<string, number>>, number: number, prefix: string) {
  const found = Object.entries(registry).find(([, value]) => value === number)
  return found === undefined ? `${prefix}${number}` : found[0].toUpperCase()
}

/** @returns the number of a type by its mnemonic or `TYPEn` (RFC 3597 5), or undefined */
export function parseType(text: string): number | undefined {
  const known = Object.entries(RrType).find(([key]) => key === text.toLowerCase())
  if (known !== undefined) return known[1]
  const number = /^type(\d{1,5})$/i.exec(text)?.[1]
  return number !== undefined && Number(number) <= 65_535 ? Number(number) : undefined
}
