/**
 * `forward FROM TO... { options }`, of all directives of a block in order. Source: plugin/forward/setup.go and plugin/pkg/parse of CoreDNS
 * 1.14.7. Host names as upstreams are refused: CoreDNS resolves them once, when it starts.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import { isPlainZone, parseCorefileLabel } from '../../corefile/label.ts'
import type { Word, Words } from '../../corefile/words.ts'
import { quoted, type Reading, refuse, refuseCount } from '../reading.ts'
import { type ForwardOptions, forwardDefaults, readForwardOption } from './forward-options.ts'

export interface ForwardDirective {
  readonly place: CorefilePlace
  /** As in `CorefileLabel.zones`. */
  readonly from: string
  /** At least one. */
  readonly to: readonly Word[]
  readonly options: ForwardOptions
}

const toMax = 15

export function readForward(words: Words, reading: Reading): ForwardDirective[] {
  const forwards: ForwardDirective[] = []
  while (words.next()) forwards.push(readOne(words, reading))
  // CoreDNS takes the others, and they match no name.
  return forwards.filter(({ from }) => isPlainZone(from))
}

function readOne(words: Words, reading: Reading): ForwardDirective {
  const { place } = words
  if (!words.nextArgument()) return refuseCount(words, 'forward FROM TO...')
  const from = fromOf({ text: words.text, place: words.place }, reading)
  const to = words.rest()
  if (to.length === 0) return refuseCount(words, 'forward FROM TO...')
  const options = forwardDefaults()
  while (words.nextInBlock()) readForwardOption(words, options, reading)
  const { maxAgeMs, expireMs } = options
  if (maxAgeMs > 0 && maxAgeMs < expireMs) {
    refuse(place, '`max_age` is less than `expire`, which is 10s unless written', 'raise `max_age`')
  }
  const last = to[toMax]
  if (last !== undefined) {
    refuse(last.place, `${to.length} upstreams`, `write at most ${toMax} in one \`forward\``)
  }
  return { place, from, to, options }
}

function fromOf({ text, place }: Word, reading: Reading): string {
  const label = parseCorefileLabel(text, 0)
  if (!label.ok) return refuse(place, `${quoted(text)} is no zone`, label.why)
  const [zone = '.', ...more] = label.value.zones
  if (more.length > 0) {
    reading.note(place, `${text} is several zones, and \`forward\` takes the first alone: ${zone}`)
  }
  if (!isPlainZone(zone)) {
    reading.note(
      place,
      `${quoted(text)} is a zone that no name lies in: this \`forward\` is never asked`,
    )
  }
  return zone
}
