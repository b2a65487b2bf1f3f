/** The stages of the resolver, in order: the first stage that decides determines the answer. */

import type { Cache } from '../cache/cache.ts'
import type { FailureCache } from '../cache/failure-cache.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { Router } from '../router.ts'
import { AnswerModeStage } from '../search/answer-mode/stage.ts'
import type { SearchSlot } from '../search/search-path.ts'
import { SearchStage } from '../search/stage.ts'
import type { Settler } from '../settlement.ts'
import { CachedStage } from './cached.ts'
import { FailedStage } from './failed.ts'
import { InFlightStage } from './in-flight.ts'
import { RecursionStage } from './recursion.ts'
import type { Stage } from './stage.ts'
import { StaleStage } from './stale.ts'
import { UpstreamStage } from './upstream.ts'

export interface StageParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly router: Router
  readonly settler: Settler
  readonly own: OwnQuestions
  /** Empty without a cluster zone, or when the search path is switched off. */
  readonly search: SearchSlot
  /** Stages that answer without asking an upstream. */
  readonly local: readonly Stage[]
}

/** Rebuild the list whenever the search path is rebuilt. */
export function makeStages(parts: StageParts): readonly Stage[] {
  const { search, router, settler, failures, inFlight, local } = parts
  const hasAnswerMode = search.path?.answerMode !== undefined
  return [
    ...(hasAnswerMode ? [new AnswerModeStage(search, router)] : []), // before a denial from the cache
    new CachedStage(parts),
    ...local, // from the configuration, or a registry of names
    new RecursionStage(), // the stages below may ask an upstream
    new SearchStage(search, router), // denies cluster names without asking
    new StaleStage(settler), // asking has just brought nothing better than a stale answer
    new FailedStage(failures), // asking has just failed, and no stale answer is there
    new InFlightStage(inFlight),
    new UpstreamStage(parts), // always decides
  ]
}
