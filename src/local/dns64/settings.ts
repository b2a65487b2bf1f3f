/** Settings of DNS64 (RFC 6147): addresses of IPv4-only names for clients without IPv4. */
import type { Network } from '../../address/ip-address.ts'
import { type Parsed, parseNetwork } from '../../config/address.ts'
import { item, list, onOff, text } from '../../config/setting.ts'
import { scopeSettings } from '../scope-settings.ts'

const itemsMax = 64
/** Those that CoreDNS takes; RFC 6052 2.2 has 32, 40, 48, 56, 64 and 96. */
const prefixBitsMin = 32
const prefixBitsMax = 96

export function dns64List() {
  return list({
    of: item('DNS64 for some names.', {
      ...scopeSettings(),
      prefix: text<Network>({
        what: 'a network of IPv6',
        parse: parsePrefix,
        default: '64:ff9b::/96',
        examples: ['64:ff9b::/96', '2001:db8:64::/96'],
        about:
          'Network of the translator (NAT64), of which the addresses that are made are. Its length is a multiple of 8 from 32 to 96.',
      }),
      translateAll: onOff({
        default: false,
        about: 'Also for names that have AAAA records, which are not given then.',
      }),
      ipv4Clients: onOff({
        default: false,
        about: 'Also for clients that ask over IPv4.',
      }),
    }),
    what: 'items',
    max: itemsMax,
    default: [],
    about:
      'AAAA records made of A records, as by the dns64 plugin of CoreDNS: a question for AAAA that gets none asks for A. Before everything else, rewrites too.',
  })
}

export function parsePrefix(written: string): Parsed<Network> {
  const network = parseNetwork(written)
  if (!network.ok) return network
  const { family, prefixBits } = network.value
  const isWhole = prefixBits % 8 === 0
  if (family === 6 && isWhole && prefixBits >= prefixBitsMin && prefixBits <= prefixBitsMax)
    return network
  const why = `${JSON.stringify(written)} is no prefix for DNS64; expected a network of IPv6 with a length of 32, 40, 48, 56, 64 or 96`
  return { ok: false, why }
}
