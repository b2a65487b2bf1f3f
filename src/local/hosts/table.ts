/** Names and addresses read from lines of hosts(5), as CoreDNS's hosts plugin reads them: what is no entry is skipped. Pure. */
import {
  addressBytes,
  type IpAddress,
  parseIpAddress,
  withoutZone,
} from '../../address/ip-address.ts'
import { reverseDigits, reverseZone } from '../../address/reverse-zone.ts'
import { parseName, wireName } from '../../wire/name.ts'
import type { Scope } from '../scope.ts'

export interface HostAddresses {
  readonly v4: Uint8Array[]
  readonly v6: Uint8Array[]
}

export interface HostsLine {
  readonly address: IpAddress
  /** Folded wire form. */
  readonly names: readonly Uint8Array[]
}

/** @returns undefined for a comment and whatever else is no entry */
export function readHostsLine(line: string): HostsLine | undefined {
  const [text = '', ...words] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
  const address = parseIpAddress(withoutZone(text))
  const names = words.flatMap((word) => parseName(word) ?? [])
  return address === undefined || names.length === 0 ? undefined : { address, names }
}

const star = Buffer.from('\x01*', 'latin1').toString('latin1')

export class HostsTable {
  /** By folded wire name, one character a byte; those with a wildcard begin with it. */
  private readonly forward = new Map<string, HostAddresses>()
  private readonly backward = new Map<string, Uint8Array[]>()
  private readonly scope: Scope
  private readonly hasReverse: boolean

  constructor(texts: readonly string[], scope: Scope, hasReverse: boolean) {
    this.scope = scope
    this.hasReverse = hasReverse
    for (const text of texts) for (const line of text.split('\n')) this.read(line)
  }

  /** Addresses of all names, and names of all addresses. */
  get size(): number {
    let size = 0
    for (const { v4, v6 } of this.forward.values()) size += v4.length + v6.length
    for (const names of this.backward.values()) size += names.length
    return size
  }

  /** @param name folded wire form, one character a byte. @returns undefined when it has no entry */
  addressesOf(name: string): HostAddresses | undefined {
    const exact = this.forward.get(name)
    if (exact !== undefined || name.length < 2) return exact
    return this.forward.get(`${star}${name.slice(1 + name.charCodeAt(0))}`)
  }

  /** @param name a reverse name, as above. @returns names in wire form */
  namesOf(name: string): readonly Uint8Array[] {
    return this.backward.get(name) ?? []
  }

  private read(line: string): void {
    const found = readHostsLine(line)
    if (found === undefined) return
    const { address, family } = found.address
    const bytes = addressBytes(address)
    for (const name of found.names) {
      if (this.scope.zoneOf(name, name.length) === undefined) continue
      const key = textOf(name)
      const addresses = this.forward.get(key) ?? { v4: [], v6: [] }
      this.forward.set(key, addresses)
      addUnlessThere(family === 4 ? addresses.v4 : addresses.v6, bytes)
      if (this.hasReverse && !key.startsWith(star)) this.addReverse(address, family, name)
    }
  }

  private addReverse(address: string, family: 4 | 6, name: Uint8Array): void {
    const key = textOf(wireName(reverseZone(reverseDigits(address), family)))
    const names = this.backward.get(key) ?? []
    this.backward.set(key, names)
    addUnlessThere(names, name)
  }
}

/** A set of records has each of them once (RFC 2181 5). */
function addUnlessThere(list: Uint8Array[], bytes: Uint8Array): void {
  if (!list.some((one) => Buffer.from(one).equals(bytes))) list.push(bytes)
}

function textOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1')
}
