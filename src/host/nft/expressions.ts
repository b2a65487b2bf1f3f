/** The expressions of a rule: the small programs that nf_tables runs on a packet. Pure. */
import { addressBytes } from '../../address/ip-address.ts'
import { attribute, nested, number32, text } from './attributes.ts'
import {
  Attribute,
  compareOperator,
  connectionStatus,
  Expression,
  Family,
  firstRegister,
  firstWordRegister,
  metaKey,
  natDestination,
  numgenRandom,
  payloadBase,
  protocolNumber,
  statusDestinationNat,
  userDataComment,
  verdictCode,
  verdictRegister,
} from './constants.ts'
import type { NftFamily, NftMatch, NftRule, NftVerdict } from './model.ts'

/** @param family of the table; in a table for both protocols a rule first says which one it is about, as in nft */
export function expressionsOf({ matches, verdict }: NftRule, family: NftFamily): Buffer[] {
  return [
    ...matches.flatMap((match) => matchExpressions(match, family)),
    ...verdictExpressions(verdict),
  ]
}

/** The rule's comment for nft: type, length, text with NUL. */
export function userDataOf({ comment }: NftRule): Buffer | undefined {
  if (comment === undefined) return undefined
  const bytes = Buffer.from(`${comment}\0`, 'latin1')
  return Buffer.concat([Buffer.from([userDataComment, bytes.length]), bytes])
}

function matchExpressions(match: NftMatch, table: NftFamily): Buffer[] {
  switch (match.kind) {
    case 'port': {
      const protocol = [
        loadMeta(metaKey.transportProtocol),
        compare([protocolNumber[match.protocol]]),
      ]
      const offset = match.side === 'source' ? 0 : 2
      return [
        ...protocol,
        loadPayload(payloadBase.transport, offset, 2),
        ...comparePorts(match.ports),
      ]
    }
    case 'address':
      return [...loadAddress(match, table), compare(addressBytes(match.address))]
    case 'set':
      return [...loadAddress(match, table), lookup(match.set)]
    case 'translated':
      return translated()
    case 'oneIn':
      return [
        expression('numgen', [
          number32(Expression.numgen.destination, firstRegister),
          number32(Expression.numgen.modulus, match.count),
          number32(Expression.numgen.type, numgenRandom),
        ]),
        compare([0, 0, 0, 0]),
      ]
  }
}

function loadMeta(key: number): Buffer {
  return expression('meta', [
    number32(Expression.meta.destination, firstRegister),
    number32(Expression.meta.key, key),
  ])
}

function loadPayload(base: number, offset: number, length: number): Buffer {
  return expression('payload', [
    number32(Expression.payload.destination, firstRegister),
    number32(Expression.payload.base, base),
    number32(Expression.payload.offset, offset),
    number32(Expression.payload.length, length),
  ])
}

function loadAddress(
  match: Extract<NftMatch, { kind: 'address' | 'set' }>,
  table: NftFamily,
): Buffer[] {
  const isV4 = match.family === 4
  const isSource = match.side === 'source'
  const family = [loadMeta(metaKey.networkProtocol), compare([isV4 ? Family.ip : Family.ip6])]
  const [offset, length] = isV4 ? [isSource ? 12 : 16, 4] : [isSource ? 8 : 24, 16]
  return [...(table === 'inet' ? family : []), loadPayload(payloadBase.network, offset, length)]
}

function comparePorts(ports: Extract<NftMatch, { kind: 'port' }>['ports']): Buffer[] {
  if (typeof ports === 'number') return [compare(portBytes(ports))]
  const [first, last] = ports
  return [
    compare(portBytes(first), compareOperator.greaterOrEqual),
    compare(portBytes(last), compareOperator.lessOrEqual),
  ]
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 255])
}

function compare(
  value: Uint8Array | readonly number[],
  operator: number = compareOperator.equal,
): Buffer {
  return expression('cmp', [
    number32(Expression.compare.source, firstRegister),
    number32(Expression.compare.operator, operator),
    data(Expression.compare.data, value),
  ])
}

function lookup(set: string): Buffer {
  return expression('lookup', [
    text(Expression.lookup.set, set),
    number32(Expression.lookup.source, firstRegister),
  ])
}

/** `ct status & IPS_DST_NAT != 0`; the status has the machine's byte order, little-endian on all supported machines. */
function translated(): Buffer[] {
  const mask = Buffer.alloc(4)
  mask.writeUInt32LE(statusDestinationNat)
  return [
    expression('ct', [
      number32(Expression.connection.destination, firstRegister),
      number32(Expression.connection.key, connectionStatus),
    ]),
    expression('bitwise', [
      number32(Expression.bitwise.source, firstRegister),
      number32(Expression.bitwise.destination, firstRegister),
      number32(Expression.bitwise.length, 4),
      data(Expression.bitwise.mask, mask),
      data(Expression.bitwise.xor, [0, 0, 0, 0]),
    ]),
    compare([0, 0, 0, 0], compareOperator.notEqual),
  ]
}

function verdictExpressions(verdict: NftVerdict): Buffer[] {
  switch (verdict.kind) {
    case 'notrack':
      return [expression('notrack', [])]
    case 'masquerade':
      return [expression('masq', [])]
    case 'accept':
      return [
        expression('immediate', [
          number32(Expression.immediate.destination, verdictRegister),
          nested(
            Expression.immediate.data,
            nested(Attribute.dataVerdict, number32(Attribute.verdictCode, verdictCode.accept)),
          ),
        ]),
      ]
    case 'dnat':
      return translate(verdict)
  }
}

/** Puts the address into the first register of 16 bytes and the port into the second, as nft does. */
function translate({ family, address, port }: Extract<NftVerdict, { kind: 'dnat' }>): Buffer[] {
  const secondRegister = firstRegister + 1
  return [
    immediate(firstRegister, addressBytes(address)),
    immediate(secondRegister, portBytes(port)),
    expression('nat', [
      number32(Expression.nat.type, natDestination),
      number32(Expression.nat.family, family === 4 ? Family.ip : Family.ip6),
      number32(Expression.nat.address, firstRegister),
      number32(Expression.nat.port, secondRegister),
    ]),
  ]
}

function immediate(register: number, value: Uint8Array): Buffer {
  return expression('immediate', [
    number32(Expression.immediate.destination, register),
    data(Expression.immediate.data, value),
  ])
}

function data(type: number, value: Uint8Array | readonly number[]): Buffer {
  return nested(type, attribute(Attribute.dataValue, Uint8Array.from(value)))
}

function expression(name: string, attributes: readonly Buffer[]): Buffer {
  return nested(
    Attribute.listElement,
    text(Attribute.expressionName, name),
    nested(Attribute.expressionData, ...attributes),
  )
}

/** The first word of four bytes of a register: one of 16 bytes overlaps four words. */
export function wordOf(register: number): number {
  return register >= firstWordRegister
    ? register - firstWordRegister
    : (register - firstRegister) * 4
}
