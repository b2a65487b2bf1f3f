/**
 * Forgets what is known about names: cached answers and failures, and for the cluster zone what the search path has learned. The next query
 * asks an upstream: it does not join a question that was asked before, no stale answer is left to fall back on, and an answer that is on its
 * way is given to those who wait for it and not kept. Pure.
 */
import type { Cache } from './cache/cache.ts'
import type { FailureCache } from './cache/failure-cache.ts'
import { type Selection, selectsKey } from './cache/selection.ts'
import type { InFlight } from './question/in-flight.ts'
import type { SearchSlot } from './search/search-path.ts'

export interface FlushParts {
  readonly cache: Cache
  readonly failures: FailureCache
  readonly inFlight: InFlight
  readonly search: SearchSlot
}

export interface Flushed {
  readonly answers: number
  readonly failures: number
  /** Questions on their way that nobody joins any more. */
  readonly questions: number
}

/** Yields where packets may get their turn; the flush is whole when it returns. */
export function* flush(parts: FlushParts, selection: Selection): Generator<void, Flushed> {
  const { cache, failures, inFlight, search } = parts
  const isMeant = (key: string) => selectsKey(selection, key)
  cache.flushes.note(selection)
  const questions = inFlight.abandon(isMeant)
  // Failures are no denials.
  const failed = selection.isNegativeOnly ? 0 : failures.forgetAll(isMeant)
  search.path?.forget()
  let answers = 0
  for (const part of cache.parts()) {
    answers += cache.dropFrom(part, selection)
    yield
  }
  return { answers, failures: failed, questions }
}
