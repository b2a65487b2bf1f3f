/**
 * Finds handles (sockets, timers, child processes) that a test file left open. Node tells only their kinds
 * and how many keep the loop alive, so two counts are compared.
 */
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Closing is asynchronous; this is how long a file's handles get for it. A daemon that is stopped in the midst of its self-query has the
 * socket until that one gives up, after a second (src/daemon/self-query.ts).
 */
const closingMs = 1500

/** How many handles of each kind keep the event loop alive. */
export type HandleCounts = ReadonlyMap<string, number>

export function openHandles(): HandleCounts {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** What is open now and was not before, as `kind x count`. */
export async function newLeaks(before: HandleCounts): Promise<string[]> {
  const deadlineMs = performance.now() + closingMs
  while (difference(before).length > 0 && performance.now() < deadlineMs) await delay(5)
  return difference(before)
}

function difference(before: HandleCounts): string[] {
  return [...openHandles()]
    .map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => `${kind} x ${more}`)
}
