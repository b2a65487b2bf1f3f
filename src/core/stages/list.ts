/** The stages of the resolver, in their order: what a question gets is decided by the first that decides. */

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
  /** Empty without a cluster zone, or when switched off. */
  readonly search: SearchSlot
  /** Stages that answer without asking anybody. */
  readonly local: readonly Stage[]
}

/** To be made anew when the search path is. */
export function makeStages(parts: StageParts): readonly Stage[] {
  const { search, router, settler, failures, inFlight, local } = parts
  const hasAnswerMode = search.path?.answerMode !== undefined
  return [
    ...(hasAnswerMode ? [new AnswerModeStage(search, router)] : []), // before a denial from the cache
    new CachedStage(parts),
    ...local, // from the configuration, or a registry of names
    new RecursionStage(), // from here on somebody may be asked
    new SearchStage(search, router), // cluster names that need not be asked
    new StaleStage(settler), // asking has just failed
    new FailedStage(failures), // likewise, and nothing is there to give
    new InFlightStage(inFlight),
    new UpstreamStage(parts), // always decides
  ]
}
