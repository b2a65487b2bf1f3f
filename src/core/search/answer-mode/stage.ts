/**
 * Answer mode as a stage of the resolver. It comes first, because it overrides a denial from the cache as well; a fresh answer
 * that is no denial it leaves alone.
 */
import { Rcode } from '../../../wire/constants.ts'
import { ReplySource } from '../../facts.ts'
import type { Inquiry } from '../../inquiry.ts'
import type { Router } from '../../router.ts'
import type { Foretold, Stage } from '../../stages/stage.ts'
import { presentWireText } from '../evidence-text.ts'
import type { SearchPath, SearchSlot } from '../search-path.ts'
import { type AnswerMode, type AnswerVerdict, givenImage, imageFor } from './answer-mode.ts'

export interface AnswerFinding {
  readonly path: SearchPath
  readonly mode: AnswerMode
  readonly verdict: AnswerVerdict
}

export class AnswerModeStage implements Stage<AnswerFinding> {
  readonly name = 'answer mode'
  private readonly search: SearchSlot
  private readonly router: Router

  constructor(search: SearchSlot, router: Router) {
    this.search = search
    this.router = router
  }

  judge(inquiry: Inquiry): AnswerFinding | undefined {
    const { path } = this.search
    const mode = path?.answerMode
    if (path === undefined || mode === undefined || !concerns(path, inquiry)) return undefined
    return { path, mode, verdict: mode.judge(inquiry) }
  }

  commit(inquiry: Inquiry, { path, mode, verdict }: AnswerFinding): boolean {
    mode.note(verdict, inquiry)
    const { decision, question, key, nowMs } = inquiry
    if (verdict.kind === 'give') {
      const image = givenImage(verdict, question.qtype, nowMs)
      const { zoneIndex } = this.router.route(key.name, key.nameBytes)
      decision.synthesise(image, Rcode.noerror, zoneIndex)
      return true
    }
    if (verdict.kind !== 'hold') return false
    // `note` has just asked for all that was missing, so the awaited question is in flight.
    const { awaited } = verdict
    const plan = path.own.planJoin(awaited.name, awaited.qtype, false)
    if (plan === undefined) return false
    decision.follow(path.own.join(plan), false, 'answerMode')
    return true
  }

  foretell({ question, nowMs }: Inquiry, { mode, verdict }: AnswerFinding): Foretold {
    switch (verdict.kind) {
      case 'give':
        return {
          kind: 'reply',
          why: "the addresses of the absolute name, at the client's first step",
          source: ReplySource.synthesised,
          rcode: Rcode.noerror,
          image: imageFor(verdict, question.qtype).image,
        }
      case 'hold': {
        const { key, route } = verdict.plan
        const why = `waits for what is missing for an answer: ${presentWireText(verdict.awaited.name)}`
        // Answer mode itself asks for it, so the client's question finds it in flight.
        return {
          kind: 'wait',
          why,
          key,
          group: route.group,
          starts: false,
          follows: 'answerMode',
          hasStale: false,
        }
      }
      case 'leave':
        return {
          kind: 'pass',
          why: `the client walks its list: ${verdict.why ?? 'answer mode is not on'}`,
          opens: verdict.walk === undefined ? [] : mode.opens(verdict.walk, nowMs),
        }
      case 'pass':
        return verdict
    }
  }

  evidence({ key, nowMs }: Inquiry): string[] {
    const text = this.search.path?.answerMode?.explain(key.nameText(), nowMs)
    return text === undefined ? [] : [`answers   ${text}`]
  }
}

/** Whether answer mode may override the question's outcome: a denial from the cache, or no entry at all. */
function concerns(path: SearchPath, inquiry: Inquiry): boolean {
  const { fresh, question, key } = inquiry
  if (fresh !== undefined && !path.overtakes(fresh, inquiry)) return fresh.deniesFamily
  if (!question.recursionDesired || !path.judge.isJudged(question)) return false
  return path.judge.isInZone(key.name, key.nameBytes)
}
