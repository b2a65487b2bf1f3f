/** What the search path reports, as lines of the log. */
import { stateTexts } from '../core/search/answer-mode/state.ts'
import type { SearchReports } from '../core/search/reports.ts'
import { presentName } from '../wire/name.ts'
import type { Log } from './log.ts'

export function searchReports(log: Log): SearchReports {
  return {
    onMismatch: (name, kind) =>
      log.error(
        { name: presentKind(name), kind: presentKind(kind) },
        'search path: a denial of ours was wrong; this kind is off for ten minutes',
      ),
    onBrokenRule: (name, rule) =>
      log.warn(
        { name: presentKind(name), rule },
        'search path: others than the kubernetes plugin answer for this name; the rule is off for ten minutes',
      ),
    onAnswerState: (state) => {
      if (state === 'on') log.info({}, 'search path: answer mode is on')
      else if (state !== 'unseen')
        log.warn({ why: stateTexts[state] }, 'search path: answer mode is off')
    },
  }
}

/** A rule is a phrase, a cut is a name in wire form, which ends in the root's zero byte. */
function presentKind(kind: string): string {
  return kind.includes('\0') ? presentName(Buffer.from(kind, 'latin1'), 0) : kind
}
