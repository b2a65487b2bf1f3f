/**
 * `dns64 [PREFIX] { prefix PREFIX; translate_all; allow_ipv4 }`, of all directives of a block together. Source: plugin/dns64/setup.go of CoreDNS
 * 1.14.7, where a prefix on the line keeps a block from being read.
 */
import { firstAddressOf, parseIpAddress } from '../../address/ip-address.ts'
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word, Words } from '../../corefile/words.ts'
import { parsePrefix } from '../../local/dns64/settings.ts'
import { onlyArgument, quoted, refuse, refuseCount } from '../reading.ts'

export interface Dns64Directive {
  readonly place: CorefilePlace
  /** Absent: the well-known one. */
  readonly prefix?: string
  readonly translateAll: boolean
  readonly ipv4Clients: boolean
}

type Draft = { -readonly [K in keyof Dns64Directive]: Dns64Directive[K] }

export function readDns64(words: Words): Dns64Directive {
  const draft: Draft = { place: words.place, translateAll: false, ipv4Clients: false }
  while (words.next()) {
    const [prefix, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'dns64 [PREFIX]')
    if (prefix === undefined) while (words.nextInBlock()) readOption(words, draft)
    else draft.prefix = prefixOf(prefix)
  }
  return draft
}

function readOption(words: Words, draft: Draft): void {
  switch (words.text) {
    case 'prefix':
      draft.prefix = prefixOf(onlyArgument(words, 'prefix PREFIX'))
      return
    case 'translate_all':
      draft.translateAll = true
      return
    case 'allow_ipv4':
      draft.ipv4Clients = true
      return
    default: {
      const cure = 'prefix, translate_all and allow_ipv4 are known'
      refuse(words.place, `\`dns64\` has no option ${quoted(words.text)}`, cure)
    }
  }
}

function prefixOf({ text, place }: Word): string {
  const network = withoutHostBits(text)
  const parsed = parsePrefix(network)
  return parsed.ok ? network : refuse(place, parsed.why, 'write it as 64:ff9b::/96')
}

/** Go sets the bits behind a prefix to zero. */
function withoutHostBits(text: string): string {
  const [host = '', bits = ''] = text.split('/')
  const address = parseIpAddress(host)
  if (address?.family !== 6 || !/^\d{1,3}$/.test(bits) || Number(bits) > 128) return text
  return `${firstAddressOf({ ...address, prefixBits: Number(bits) })}/${bits}`
}
