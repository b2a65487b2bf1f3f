/** Names of record types as CoreDNS's DNS library has them, to those that our settings take. Source: types.go of github.com/miekg/dns 1.1. */

/** Known there and not here: nobody looks into their data, so the number will do. */
const numbers: ReadonlyMap<string, number> = new Map([
  ['NULL', 10],
  ['NSAP-PTR', 23],
  ['LOC', 29],
  ['EID', 31],
  ['NIMLOC', 32],
  ['ATMA', 34],
  ['APL', 42],
  ['IPSECKEY', 45],
  ['DHCID', 49],
  ['HIP', 55],
  ['RKEY', 57],
  ['OPENPGPKEY', 61],
  ['UINFO', 100],
  ['UID', 101],
  ['GID', 102],
  ['UNSPEC', 103],
  ['NXNAME', 128],
  ['AMTRELAY', 260],
])

/** @param name in capitals. @returns the same type as our settings take it; undefined for TYPEn, which CoreDNS does not take */
export function typeText(name: string): string | undefined {
  const number = numbers.get(name)
  if (number !== undefined) return `TYPE${number}`
  return /^TYPE\d/.test(name) ? undefined : name
}
