/** `prometheus [ADDRESS] { runtime_metrics; tls FILE }`. Source: plugin/metrics/setup.go of CoreDNS 1.14. */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Words } from '../../corefile/words.ts'
import { type HostPort, hostPort, quoted, refuse, refuseCount, refuseSecond } from '../reading.ts'

export interface AdminPlace extends HostPort {
  readonly place: CorefilePlace
}

const defaultAddress = { host: 'localhost', port: '9153' }

export function readPrometheus(words: Words): AdminPlace {
  let address: AdminPlace = { ...defaultAddress, place: words.place }
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'prometheus')
    const { place } = words
    const [written, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'prometheus [ADDRESS]')
    address = written === undefined ? { ...defaultAddress, place } : at(written)
    while (words.nextInBlock()) readOption(words)
  }
  return address
}

function at(written: { readonly text: string; readonly place: CorefilePlace }): AdminPlace {
  return { ...hostPort(written), place: written.place }
}

function readOption(words: Words): void {
  const { text, place } = words
  const args = words.rest()
  if (text === 'runtime_metrics' && args.length === 0) return
  if (text === 'tls' && args.length === 1) {
    const cure = 'remove `tls`, and let the scraper come by HTTP'
    refuse(place, 'metrics are not served over TLS here', cure)
  }
  if (text === 'runtime_metrics' || text === 'tls') refuseCount(words, text)
  refuse(place, `\`prometheus\` has no option ${quoted(text)}`, '`runtime_metrics` is known')
}
