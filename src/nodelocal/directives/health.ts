/** `health [ADDRESS] { lameduck DURATION }`; of several in a block the last counts. Source: plugin/health/setup.go of CoreDNS 1.14. */
import type { Words } from '../../corefile/words.ts'
import { duration, hostPort, quoted, type Reading, refuse, refuseCount } from '../reading.ts'
import type { AdminPlace } from './prometheus.ts'

export interface HealthDirective {
  readonly address: AdminPlace
  /** How long a stop waits while `/health` answers 503; 0 without one. */
  readonly lameduckMs: number
}

const lameduckNote =
  '`lameduck`: at its end the interception is withdrawn first, and then open questions are answered (`drain.deadlineMs`); nobody has to wait'

export function readHealth(words: Words, reading: Reading): HealthDirective {
  let address: AdminPlace = { host: '', port: '8080', place: words.place }
  let lameduckMs = 0
  while (words.next()) {
    const [written, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'health [ADDRESS]')
    if (written !== undefined) address = { ...hostPort(written), place: written.place }
    while (words.nextInBlock()) {
      const { place } = words
      if (words.text !== 'lameduck') {
        refuse(words.place, `\`health\` has no option ${quoted(words.text)}`, '`lameduck` is known')
      }
      const [time, ...others] = words.rest()
      if (time === undefined || others.length > 0) return refuseCount(words, 'lameduck DURATION')
      lameduckMs = duration(time, 'a time to wait')
      reading.note(place, lameduckNote)
    }
  }
  return { address, lameduckMs }
}
