/** One stage alone: a question as the resolver prepares it, judged, foretold and committed, with the core's whole state compared. */
import * as assert from 'uvu/assert'
import type { Asker, Decision } from '../../../src/core/decision.ts'
import type { Inquiry } from '../../../src/core/inquiry.ts'
import type { Resolver } from '../../../src/core/resolver.ts'
import type { Foretold, Stage } from '../../../src/core/stages/stage.ts'
import { Question, readQuestion, Verdict } from '../../../src/wire/question.ts'
import { type QueryOptions, type TypeName, writeQuery } from '../../support/client/dns-message.ts'
import { stateOf } from '../state.ts'

export const client: Asker = {
  clientPort: 40_000,
  turns: 0,
  clientAddress: () => '192.0.2.99',
}

/** What a stage needs to be asked: a `Core` or a `Bench` is one. */
export interface Asked {
  readonly resolver: Resolver
  readonly nowMs: number | (() => number)
}

/** The question as stages see it; nothing has been decided or counted. */
export function inquire(
  core: Asked,
  qname: string,
  type: TypeName | number = 'A',
  { asker = client, ...options }: QueryOptions & { readonly asker?: Asker } = {},
): Inquiry {
  const { resolver } = core
  const nowMs = typeof core.nowMs === 'number' ? core.nowMs : core.nowMs()
  const query = writeQuery(qname, type, { ednsBytes: 1232, ...options })
  const question = new Question()
  const verdict = readQuestion(query, query.length, question)
  if (verdict !== Verdict.ask) throw new Error(`not a question: verdict ${verdict}`)
  return resolver.inquire(query, question, nowMs, asker)
}

/**
 * Judges and foretells, which must change nothing.
 * @returns undefined when the stage has nothing to say
 */
export function foretold<F extends object>(
  state: object,
  stage: Stage<F>,
  inquiry: Inquiry,
): Foretold | undefined {
  const before = stateOf(state)
  const finding = stage.judge(inquiry)
  const outcome = finding && stage.foretell(inquiry, finding)
  assert.is(stateOf(state), before, `${stage.name} judges and foretells without a trace`)
  return outcome
}

/** Judges and commits what the stage finds, and there must be something. */
export function committed<F extends object>(stage: Stage<F>, inquiry: Inquiry): Decision {
  const finding = stage.judge(inquiry)
  if (finding === undefined) throw new Error(`${stage.name} found nothing`)
  assert.is(stage.commit(inquiry, finding), true, `${stage.name} decides`)
  return inquiry.decision
}
