/**
 * `hosts [FILE [ZONES...]] { ADDRESS NAMES...; ttl no_reverse reload fallthrough fallthrough_unsupported }`. Source: plugin/hosts/setup.go and
 * hostsfile.go of CoreDNS 1.14.7: lines that are no entry are passed over.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Words } from '../../corefile/words.ts'
import { readHostsLine } from '../../local/hosts/table.ts'
import {
  duration,
  fallthroughZones,
  integer,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  refuseSecond,
  zonesOf,
} from '../reading.ts'

export interface HostsDirective {
  readonly place: CorefilePlace
  readonly file: string
  /** As in `CorefileLabel.zones`. */
  readonly zones: readonly string[]
  /** As lines of a file. */
  readonly entries: readonly string[]
  readonly ttlSeconds: number
  /** 0: the file is read once. */
  readonly reloadMs: number
  readonly reverse: boolean
  readonly fallthrough: readonly string[]
  readonly fallthroughUnsupported: boolean
}

type Draft = { -readonly [K in keyof HostsDirective]: HostsDirective[K] }

const ttlSecondsMax = 65_535

export function readHosts(words: Words, reading: Reading): HostsDirective {
  const draft: Draft = {
    place: words.place,
    file: '/etc/hosts',
    zones: reading.zones,
    entries: [],
    ttlSeconds: 3600,
    reloadMs: 5000,
    reverse: true,
    fallthrough: [],
    fallthroughUnsupported: false,
  }
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'hosts')
    draft.place = words.place
    const [file, ...zones] = words.rest()
    if (file !== undefined) draft.file = file.text
    if (zones.length > 0) draft.zones = zonesOf(zones, reading)
    while (words.nextInBlock()) readOption(words, draft, reading)
  }
  if (draft.fallthroughUnsupported && draft.fallthrough.length === 0) {
    refuse(draft.place, '`fallthrough_unsupported` needs `fallthrough`', 'add `fallthrough`')
  }
  return draft
}

function readOption(words: Words, draft: Draft, reading: Reading): void {
  switch (words.text) {
    case 'fallthrough':
      draft.fallthrough = fallthroughZones(words, reading)
      return
    case 'fallthrough_unsupported':
      if (words.rest().length > 0) refuseCount(words, 'fallthrough_unsupported')
      draft.fallthroughUnsupported = true
      return
    case 'no_reverse':
      draft.reverse = false
      return
    case 'ttl':
      draft.ttlSeconds = readTtl(words)
      return
    case 'reload':
      draft.reloadMs = readReload(words)
      return
    default:
      readEntry(words, draft, reading)
  }
}

function readTtl(words: Words): number {
  const [seconds] = words.rest()
  if (seconds === undefined) return refuseCount(words, 'ttl SECONDS')
  const ttl = integer(seconds, 'a TTL in seconds')
  if (ttl > 0 && ttl <= ttlSecondsMax) return ttl
  return refuse(seconds.place, `the TTL is ${seconds.text}`, `write 1 to ${ttlSecondsMax}`)
}

function readReload(words: Words): number {
  const [time, ...more] = words.rest()
  if (time === undefined || more.length > 0) return refuseCount(words, 'reload DURATION')
  const ms = duration(time, 'an interval')
  return ms >= 0 ? ms : refuse(time.place, `\`reload\` is ${time.text}`, 'write 0s or more')
}

/** CoreDNS takes no entry behind `fallthrough`. */
function readEntry(words: Words, draft: Draft, reading: Reading): void {
  const { text, place } = words
  if (draft.fallthrough.length > 0) {
    const cure = 'put entries before `fallthrough`'
    refuse(place, `\`hosts\` has no option ${quoted(text)}`, cure)
  }
  const line = [text, ...words.rest().map((word) => word.text)].join(' ')
  if (readHostsLine(line) === undefined) {
    reading.note(
      place,
      `${quoted(line)} is no entry of \`hosts\`, and is passed over as in CoreDNS`,
    )
  } else draft.entries = [...draft.entries, line]
}
