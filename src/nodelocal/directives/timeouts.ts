/**
 * `timeouts { read; write; idle; maxtcpqueries }` of connections from clients. Source: plugin/timeouts/timeouts.go of CoreDNS 1.14.7. A number
 * without a unit is seconds.
 */
import type { Words } from '../../corefile/words.ts'
import {
  duration,
  integer,
  onlyArgument,
  quoted,
  type Reading,
  refuse,
  refuseCount,
} from '../reading.ts'

export interface TimeoutsDirective {
  readonly readMs?: number
  readonly writeMs?: number
  readonly idleMs?: number
}

type Draft = { -readonly [K in keyof TimeoutsDirective]: TimeoutsDirective[K] }

const keys = { read: 'readMs', write: 'writeMs', idle: 'idleMs' } as const

export function readTimeouts(words: Words, reading: Reading): TimeoutsDirective {
  const draft: Draft = {}
  while (words.next()) {
    const { place } = words
    if (words.rest().length > 0) refuseCount(words, 'timeouts {')
    let options = 0
    for (; words.nextInBlock(); options++) readOption(words, draft, reading)
    if (options === 0) refuse(place, '`timeouts` has no option', 'write read, write or idle')
  }
  return draft
}

function readOption(words: Words, draft: Draft, reading: Reading): void {
  const { text: name, place } = words
  const { text, place: at } = onlyArgument(words, `${name} TIME`)
  if (words.nextArgument()) refuseCount(words, `${name} TIME`)
  if (name === 'maxtcpqueries') {
    const count = integer({ text, place: at }, 'a number of queries')
    if (count === 0 || count < -1) refuse(at, `\`${name}\` is ${text}`, 'write -1, or 1 and more')
    reading.note(
      place,
      '`maxtcpqueries`: a connection may ask as much as it likes (`tcp.idleMs` and the bounds of `tcp` close others)',
    )
    return
  }
  const ms = duration({ text: /^[+-]?\d+$/.test(text) ? `${text}s` : text, place: at }, 'a time')
  if (ms < 1000 || ms > 86_400_000) refuse(at, `\`${name}\` is ${text}`, 'write 1s to 24h')
  if (name !== 'read' && name !== 'write' && name !== 'idle') {
    refuse(place, `\`timeouts\` has no option ${quoted(name)}`, 'read, write and idle are known')
  }
  draft[keys[name]] = ms
}
