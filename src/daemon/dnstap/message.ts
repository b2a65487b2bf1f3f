/**
 * Dnstap messages as protobuf: a client's query and the reply to it (https://dnstap.info, dnstap.proto of 2014, which has not changed since).
 * Written by hand, because fifteen fields of four kinds are less code than a protobuf library's binding (docs/decisions/0058). Pure.
 */

export interface TappedQuery {
  readonly identity: Uint8Array
  readonly version: Uint8Array
  readonly isTcp: boolean
  /** 4 or 16 bytes. */
  readonly clientAddress: Uint8Array
  readonly clientPort: number
  readonly serverAddress: Uint8Array
  readonly serverPort: number
  /** Milliseconds since 1970, with fractions. */
  readonly queryMs: number
  /** Absent: it is not sent. */
  readonly query?: Uint8Array
}

export interface TappedReply extends TappedQuery {
  readonly replyMs: number
  /** Absent: it is not sent. */
  readonly reply?: Uint8Array
}

/** Numbers of dnstap.proto. */
const ofDnstap = { identity: 1, version: 2, message: 14, type: 15 } as const
const ofMessage = {
  type: 1,
  socketFamily: 2,
  socketProtocol: 3,
  queryAddress: 4,
  responseAddress: 5,
  queryPort: 6,
  responsePort: 7,
  querySeconds: 8,
  queryNanoseconds: 9,
  query: 10,
  responseSeconds: 12,
  responseNanoseconds: 13,
  response: 14,
} as const
const isMessage = 1
const messageType = { clientQuery: 5, clientResponse: 6 } as const
const wireKind = { varint: 0, bytes: 2, fixed32: 5 } as const

export function queryMessage(tapped: TappedQuery): Buffer {
  return wrapped(tapped, [
    ...common(tapped, messageType.clientQuery),
    ...optionalField(ofMessage.query, tapped.query),
  ])
}

export function replyMessage(tapped: TappedReply): Buffer {
  const { reply, replyMs } = tapped
  return wrapped(tapped, [
    ...common(tapped, messageType.clientResponse),
    ...timeFields([ofMessage.responseSeconds, ofMessage.responseNanoseconds], replyMs),
    ...optionalField(ofMessage.response, reply),
  ])
}

function common(tapped: TappedQuery, type: number): Uint8Array[] {
  const { clientAddress, serverAddress } = tapped
  return [
    numberField(ofMessage.type, type),
    numberField(ofMessage.socketFamily, clientAddress.length === 4 ? 1 : 2),
    numberField(ofMessage.socketProtocol, tapped.isTcp ? 2 : 1),
    ...bytesField(ofMessage.queryAddress, clientAddress),
    ...bytesField(ofMessage.responseAddress, serverAddress),
    numberField(ofMessage.queryPort, tapped.clientPort),
    numberField(ofMessage.responsePort, tapped.serverPort),
    ...timeFields([ofMessage.querySeconds, ofMessage.queryNanoseconds], tapped.queryMs),
  ]
}

function wrapped({ identity, version }: TappedQuery, message: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    ...bytesField(ofDnstap.identity, identity),
    ...bytesField(ofDnstap.version, version),
    ...bytesField(ofDnstap.message, Buffer.concat(message)),
    numberField(ofDnstap.type, isMessage),
  ])
}

function timeFields([seconds, nanoseconds]: readonly [number, number], ms: number): Uint8Array[] {
  const whole = Math.floor(ms / 1000)
  const rest = Buffer.alloc(5)
  rest[0] = (nanoseconds << 3) | wireKind.fixed32
  rest.writeUInt32LE(Math.floor((ms - whole * 1000) * 1e6), 1)
  return [numberField(seconds, whole), rest]
}

function numberField(field: number, value: number): Uint8Array {
  return Uint8Array.of((field << 3) | wireKind.varint, ...varint(value))
}

function optionalField(field: number, bytes: Uint8Array | undefined): Uint8Array[] {
  return bytes === undefined ? [] : bytesField(field, bytes)
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array[] {
  return [Uint8Array.of((field << 3) | wireKind.bytes, ...varint(bytes.length)), bytes]
}

/** @param value a whole number up to 2^53 */
function varint(value: number): number[] {
  const octets: number[] = []
  let left = value
  while (left > 127) {
    octets.push((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  return [...octets, left]
}
