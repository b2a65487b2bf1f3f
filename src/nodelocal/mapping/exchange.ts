/** The options of `forward`, and `bufsize`, that say how upstreams are asked, as settings. */
import type { ForwardDirective } from '../directives/forward.ts'
import type { PlainSection } from './plain.ts'

/** node-cache's own default takes the upstreams for equals. */
const policyDefault = 'random'
/** CoreDNS closes an idle connection after 10 s; ours are closed before (`exchange.stream.idleMs`). */
const idleMsMax = 8000
const timeoutMsMin = 500

export function exchangeOf(
  { to, options }: ForwardDirective,
  bufsize: number | undefined,
): PlainSection {
  const isFile = to.some(({ text }) => text.includes('/') && !text.includes('://'))
  const hasSeveral = to.length > 1 || isFile
  const policy = options.policy ?? (hasSeveral ? policyDefault : undefined)
  const { maxAttempts, readTimeoutMs, expireMs, maxAgeMs } = options
  const stream = {
    ...(expireMs < idleMsMax && { idleMs: within(expireMs, 100, idleMsMax) }),
    ...(maxAgeMs > 0 && { ageMaxMs: within(maxAgeMs, 1000, 86_400_000) }),
    ...tlsOf(options.tls),
  }
  return {
    ...(policy !== undefined && { policy }),
    ...(maxAttempts && { attemptsMax: within(maxAttempts, 1, 16) }),
    ...(readTimeoutMs !== undefined && { timeout: timeoutOf(readTimeoutMs) }),
    ...(Object.keys(stream).length > 0 && { stream }),
    ...(bufsize !== undefined && { udp: { payloadBytes: bufsize } }),
  }
}

/** `tls`, `tls CA`, `tls CERT KEY`, `tls CERT KEY CA`. */
function tlsOf(words: ForwardDirective['options']['tls']): PlainSection {
  const files = words?.map(({ text }) => text) ?? []
  const [ca] = files.length % 2 === 1 ? files.slice(-1) : []
  const [certificate, key] = files.length > 1 ? files : []
  const identity = certificate !== undefined && key !== undefined && { certificate, key }
  return files.length === 0 ? {} : { tls: { ...(ca !== undefined && { ca }), ...identity } }
}

function timeoutOf(readTimeoutMs: number): PlainSection {
  const maxMs = within(readTimeoutMs, 10, 60_000)
  return { minMs: Math.min(timeoutMsMin, maxMs), maxMs }
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(Math.round(value), min), max)
}
