/**
 * `ready [ADDRESS] { monitor until-ready|continuously }`. node-cache is built without it; here every admin address has `/ready`. Source:
 * plugin/ready/setup.go of CoreDNS 1.14.
 */
import type { Words } from '../../corefile/words.ts'
import {
  hostPort,
  onlyArgument,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  refuseSecond,
} from '../reading.ts'
import type { AdminPlace } from './prometheus.ts'

export function readReady(words: Words, reading: Reading): AdminPlace {
  let address: AdminPlace = { host: '', port: '8181', place: words.place }
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'ready')
    const { place } = words
    const [written, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'ready [ADDRESS]')
    address =
      written === undefined
        ? { host: '', port: '8181', place }
        : { ...hostPort(written), place: written.place }
    while (words.nextInBlock()) readMonitor(words, reading)
  }
  return address
}

function readMonitor(words: Words, reading: Reading): void {
  const at = words.place
  if (words.text !== 'monitor') {
    refuse(words.place, `\`ready\` has no option ${quoted(words.text)}`, '`monitor` is known')
  }
  const { text, place } = onlyArgument(words, 'monitor until-ready|continuously')
  if (words.nextArgument()) refuseCount(words, 'monitor until-ready|continuously')
  if (text !== 'until-ready' && text !== 'continuously') {
    refuse(place, `${quoted(text)} is no way to monitor`, 'write until-ready or continuously')
  }
  reading.note(at, '`monitor`: `/ready` always tells the present state')
}
