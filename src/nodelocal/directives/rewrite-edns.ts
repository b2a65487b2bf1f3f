/**
 * `rewrite edns0 local|nsid|subnet ACTION ...`. Source: plugin/rewrite/edns0.go of CoreDNS 1.14.7. Our queries have an OPT of their own: it has no
 * option of a client, and what is set is the same for every question.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word } from '../../corefile/words.ts'
import { quoted, type Reading, refuse } from '../reading.ts'

interface Rule {
  readonly place: CorefilePlace
  /** Behind the field. */
  readonly args: readonly Word[]
  readonly reading: Reading
}

export interface SetOption {
  /** As an item of `exchange.ednsOptions`. */
  readonly option: string
}

/** @returns undefined where nothing is to be done here */
export function readEdns({ place, args, reading }: Rule): SetOption | undefined {
  const [kind, action, ...rest] = args
  const what = kind?.text.toLowerCase() ?? ''
  const verb = action?.text.toLowerCase() ?? ''
  if (!['local', 'nsid', 'subnet'].includes(what))
    return refuse(kind?.place ?? place, 'no kind of option', 'write local, nsid or subnet')
  if (verb === 'unset' || verb === 'replace') {
    reading.note(place, `\`edns0 ${what} ${verb}\`: no option of a client reaches an upstream`)
    return undefined
  }
  if (verb !== 'set' && verb !== 'append')
    return refuse(action?.place ?? place, 'no action', 'write set, append, replace or unset')
  if (what === 'local') return localOption(rest, place)
  const cure =
    what === 'nsid'
      ? "remove it: an upstream's NSID would reach no client; `neardns explain` names upstreams"
      : 'remove it: equal questions of all clients are asked once, so no subnet of a client is told'
  return refuse(place, `\`rewrite edns0 ${what} ${verb}\` is not supported`, cure)
}

/** `CODE DATA [revert]`: data in hexadecimal behind 0x, else as text. */
function localOption(args: readonly Word[], place: CorefilePlace): SetOption {
  const [code, data, revert, ...more] = args
  const isEnd = revert === undefined || (revert.text === 'revert' && more.length === 0)
  if (code === undefined || data === undefined || !isEnd)
    return refuse(place, 'wrong number of words', 'expected: edns0 local set CODE DATA')
  const isNumber = /^(?:0x[0-9a-f]+|[1-9]\d*|0)$/i.test(code.text)
  if (!isNumber || Number(code.text) > 65_535)
    return refuse(code.place, `${quoted(code.text)} is no code of an option`, 'write it as 0xffee')
  if (data.text.startsWith('{')) {
    const cure =
      'write data that are the same for all: equal questions of all clients are asked once'
    return refuse(data.place, `${data.text} differs from question to question`, cure)
  }
  const [, hex] = /^0x((?:[0-9a-f]{2})*)$/i.exec(data.text) ?? []
  if (hex === undefined && data.text.startsWith('0x'))
    return refuse(
      data.place,
      `${quoted(data.text)} is not hexadecimal`,
      'write two digits an octet',
    )
  const octets = hex ?? [...utf8.encode(data.text)].map(twoDigits).join('')
  return { option: `${Number(code.text)}=${octets.toLowerCase()}` }
}

const utf8 = new TextEncoder()

function twoDigits(octet: number): string {
  return octet.toString(16).padStart(2, '0')
}
