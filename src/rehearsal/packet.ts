/**
 * Reads an IP packet as far as a DNS message over UDP needs it: IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768). Total: whatever the
 * bytes are, the result says what they are. Checksums are not looked at: packets that leave this machine often have none yet.
 */
import { addressTextAt } from '../address/ip-address.ts'
import { u8, u16 } from '../wire/bytes.ts'

/** A packet as the packet socket saw it. */
export interface CapturedPacket {
  /** When the kernel saw it, milliseconds; any clock that goes forward. */
  readonly atMs: number
  /** Link and direction: a packet passes each place once. */
  readonly place: number
  /** From the IP header on; only valid during the call. */
  readonly bytes: Buffer
  /** Its whole length, bytes: more than `bytes` has when it was cut. */
  readonly wholeBytes: number
}

export interface Datagram {
  readonly kind: 'udp'
  readonly family: 4 | 6
  readonly from: string
  readonly fromPort: number
  readonly to: string
  readonly toPort: number
  /** A view. */
  readonly payload: Buffer
}

/** `tcp` is a segment of a connection; `fragment` and `cut` are messages of which a part is missing. */
export interface OtherPacket {
  readonly kind: 'tcp' | 'fragment' | 'cut'
  readonly from: string
  readonly to: string
}

/** Undefined for what is none of these. */
export type ReadPacket = Datagram | OtherPacket | undefined

const [tcp, udp, fragmentHeader] = [6, 17, 44] as const
const udpHeaderBytes = 8
const v4HeaderBytes = 20
const v6HeaderBytes = 40

/** @param wholeBytes length of the packet when it was sent */
export function readPacket(bytes: Buffer, wholeBytes = bytes.length): ReadPacket {
  if (bytes.length < v4HeaderBytes) return undefined
  const version = u8(bytes, 0) >>> 4
  if (version === 4) return readV4(bytes, wholeBytes)
  return version === 6 && bytes.length >= v6HeaderBytes ? readV6(bytes, wholeBytes) : undefined
}

function readV4(bytes: Buffer, wholeBytes: number): ReadPacket {
  const at = 4 * (u8(bytes, 0) & 0x0f)
  if (at < v4HeaderBytes) return undefined
  const family = 4
  const ends = { from: addressTextAt(bytes, 12, family), to: addressTextAt(bytes, 16, family) }
  // More fragments, or not the first one.
  if ((u16(bytes, 6) & 0x3fff) !== 0) return { kind: 'fragment', ...ends }
  return readBehind(bytes, { protocol: u8(bytes, 9), at, wholeBytes }, { family, ...ends })
}

function readV6(bytes: Buffer, wholeBytes: number): ReadPacket {
  const family = 6
  const ends = { from: addressTextAt(bytes, 8, family), to: addressTextAt(bytes, 24, family) }
  const protocol = u8(bytes, 6)
  if (protocol === fragmentHeader) return { kind: 'fragment', ...ends }
  return readBehind(bytes, { protocol, at: v6HeaderBytes, wholeBytes }, { family, ...ends })
}

interface Behind {
  readonly protocol: number
  readonly at: number
  readonly wholeBytes: number
}

function readBehind(
  bytes: Buffer,
  { protocol, at, wholeBytes }: Behind,
  { family, from, to }: Pick<Datagram, 'family' | 'from' | 'to'>,
): ReadPacket {
  if (protocol === tcp) return { kind: 'tcp', from, to }
  if (protocol !== udp) return undefined
  if (wholeBytes > bytes.length) return { kind: 'cut', from, to }
  if (bytes.length < at + udpHeaderBytes) return undefined
  const length = u16(bytes, at + 4)
  // A link with a minimum pads its frames: the length of the datagram counts.
  if (length < udpHeaderBytes || at + length > bytes.length) return undefined
  return {
    kind: 'udp',
    family,
    from,
    fromPort: u16(bytes, at),
    to,
    toPort: u16(bytes, at + 2),
    payload: bytes.subarray(at + udpHeaderBytes, at + length),
  }
}
