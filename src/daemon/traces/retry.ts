/** What a reply of a collector means, and when it is asked again (OTLP 1.x, "Failures" and "OTLP/HTTP Throttling"). Pure. */
import { backOffMs } from '../../platform/back-off.ts'
import { member } from '../../platform/json-member.ts'

export type PostResult =
  | { readonly kind: 'taken'; readonly spansRejected: number }
  /** The same may be taken later. @member afterMs from Retry-After */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs?: number | undefined }
  /** The same will never be taken. */
  | { readonly kind: 'refused'; readonly why: string }

const laterStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** A collector may ask for more patience; what waits would be of no use by then. */
const retryAfterMsMax = 600_000

/** @param nowMs milliseconds since 1970, for a Retry-After that is a date */
export function judgeReply(
  status: number,
  { retryAfter, body }: { readonly retryAfter: string | undefined; readonly body: string },
  nowMs: number,
): PostResult {
  if (status >= 200 && status < 300) return { kind: 'taken', spansRejected: rejectedIn(body) }
  const why = `HTTP status ${status}`
  if (!laterStatuses.has(status)) return { kind: 'refused', why }
  return { kind: 'later', why, afterMs: retryAfterMs(retryAfter, nowMs) }
}

/**
 * @param failures in a row, at least 1
 * @param afterMs what the collector asked for
 * @param share as of `backOffMs`
 */
export function delayAfter(failures: number, afterMs: number | undefined, share: number): number {
  return Math.max(backOffMs(failures, share), Math.min(afterMs ?? 0, retryAfterMsMax))
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const dateMs = Date.parse(text)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

/** Of an ExportTraceServiceResponse; a body that is none rejects nothing. */
function rejectedIn(body: string): number {
  try {
    const read: unknown = JSON.parse(body)
    const rejected = Number(member(member(read, 'partialSuccess'), 'rejectedSpans') ?? 0)
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0
  } catch {
    return 0
  }
}
