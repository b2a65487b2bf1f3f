/**
 * `dnstap [listen] ENDPOINT [full] [WRITEBUFFER] [QUEUE] { identity version extra skipverify tls }`, of all directives of a block in order. Source:
 * plugin/dnstap/setup.go of CoreDNS 1.14.7.
 */
import { parseEndpoint } from '../../config/address.ts'
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word, Words } from '../../corefile/words.ts'
import { integer, quoted, type Reading, refuse, refuseCount } from '../reading.ts'

export interface DnstapDirective {
  readonly place: CorefilePlace
  /** As the setting `log.dnstap.socket`. */
  readonly socket: string
  readonly isFull: boolean
  readonly identity?: string
  readonly version?: string
}

type Draft = { -readonly [K in keyof DnstapDirective]: DnstapDirective[K] }

const expected = 'dnstap ENDPOINT [full]'
/** Bounds of CoreDNS: MiB, and 10,000 messages. */
const bufferMax = 1024
const queueMax = 4096

export function readDnstap(words: Words, reading: Reading): DnstapDirective[] {
  const all: DnstapDirective[] = []
  while (words.next()) all.push(readOne(words, reading))
  return all
}

function readOne(words: Words, reading: Reading): DnstapDirective {
  const { place } = words
  const [endpoint, full, buffer, queue] = words.rest()
  if (endpoint === undefined) return refuseCount(words, expected)
  if (endpoint.text === 'listen')
    refuse(endpoint.place, '`dnstap listen` is not served here', `name a reader: ${expected}`)
  const draft: Draft = { place, socket: socketOf(endpoint), isFull: full?.text === 'full' }
  bounded(buffer, bufferMax)
  bounded(queue, queueMax)
  if (buffer !== undefined)
    reading.note(
      buffer.place,
      '`dnstap`: `log.dnstap.queueBytesMax` bounds what waits for the reader',
    )
  while (words.nextInBlock()) readOption(words, draft, reading)
  return draft
}

function socketOf({ text, place }: Word): string {
  if (text.startsWith('tls://'))
    refuse(place, '`dnstap` over TLS is not served here', 'write tcp://ADDRESS:PORT or a path')
  if (!text.startsWith('tcp://')) {
    const path = text.replace(/^unix:\/\//, '')
    if (path !== '' && !path.includes('://')) return path
    refuse(
      place,
      `${quoted(text)} is no path of a Unix socket`,
      'write tcp://ADDRESS:PORT or a path',
    )
  }
  const parsed = parseEndpoint(text.slice('tcp://'.length))
  return parsed.ok ? text : refuse(place, parsed.why, 'write tcp://ADDRESS:PORT')
}

function bounded(word: Word | undefined, max: number): void {
  if (word === undefined) return
  const value = integer(word, 'a multiple of the buffer')
  if (value < 1 || value > max)
    refuse(word.place, `${word.text} is no multiple`, `write 1 to ${max}`)
}

function readOption(words: Words, draft: Draft, reading: Reading): void {
  const { text: name, place } = words
  switch (name) {
    case 'skipverify':
      return
    case 'identity':
    case 'version':
      draft[name] = value(words)
      return
    case 'extra':
      value(words)
      reading.note(place, '`extra` is not sent to the reader of dnstap')
      return
    case 'tls':
      return refuse(place, '`tls` belongs to `dnstap listen`', 'remove it')
    default:
      refuse(
        place,
        `\`dnstap\` has no option ${quoted(name)}`,
        'identity, version, extra and skipverify are known',
      )
  }
}

function value(words: Words): string {
  const name = words.text
  return words.nextArgument() ? words.text : refuseCount(words, `${name} TEXT`)
}
