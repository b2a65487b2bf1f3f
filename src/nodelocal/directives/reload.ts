/** `reload [INTERVAL] [JITTER]`. Source: plugin/reload/setup.go of CoreDNS 1.14. */
import type { Words } from '../../corefile/words.ts'
import { duration, refuse, refuseCount } from '../reading.ts'

export interface ReloadDirective {
  readonly intervalMs: number
}

const intervalMsMin = 2000
const jitterMsMin = 1000

/** CoreDNS reads the first one only. */
export function readReload(words: Words): ReloadDirective {
  words.next()
  const [interval, jitter, ...more] = words.rest()
  if (more.length > 0) refuseCount(words, 'reload [INTERVAL] [JITTER]')
  const intervalMs = interval === undefined ? 30_000 : duration(interval, 'an interval')
  if (interval !== undefined && intervalMs < intervalMsMin) {
    refuse(interval.place, `the interval of \`reload\` is ${interval.text}`, 'write at least 2s')
  }
  const jitterMs = jitter === undefined ? 0 : duration(jitter, 'a jitter')
  if (jitter !== undefined && jitterMs !== 0 && jitterMs < jitterMsMin) {
    refuse(jitter.place, `the jitter of \`reload\` is ${jitter.text}`, 'write 0s, or at least 1s')
  }
  return { intervalMs }
}
