/**
 * Datagrams for one `recvmmsg` or `sendmmsg`: the array of `struct mmsghdr` and everything it points to (names, control data,
 * bytes), in one ArrayBuffer. A reference to the batch keeps all of it, so memory that the kernel writes to is never collected
 * while in use. Layout of 64-bit Linux, the same in glibc, musl and the kernel (socket.h), x86-64 and arm64.
 */

import { messageBytesMax } from '../wire/constants.ts'
import { Linux } from './linux.ts'
import type { SystemCalls } from './system-calls.ts'

/** Datagrams in a batch. At 100k q/s 64 are read at a time; more gains nothing measurable and holds the loop longer. */
export const batchSlots = 64

// struct mmsghdr, in bytes
const headerBytes = 64
const nameLengthAt = 8
const iovecAt = 16
const iovecCountAt = 24
const controlAt = 32
const controlLengthAt = 40
const lengthAt = 56

const iovecBytes = 16
/** sockaddr_in6 is 28. */
const nameStride = 32
/** CMSG_SPACE(sizeof(struct in6_pktinfo)) is 40, of in_pktinfo 32. */
const controlStride = 64
/**
 * Room for any datagram; untouched pages cost nothing. Not a power of two: with slots 65,536 apart, the first cache lines of all
 * slots would share the same few sets of the processor's cache.
 */
const slotStride = messageBytesMax + 1 + 5 * 64

const namesFrom = batchSlots * (headerBytes + iovecBytes)
const controlFrom = namesFrom + batchSlots * nameStride
const slotsFrom = controlFrom + batchSlots * controlStride
const arenaBytes = slotsFrom + batchSlots * slotStride

export class MessageBatch {
  /** The array of headers, for the call. */
  readonly headers: Buffer
  /** The bytes of each datagram, by slot; each as long as the longest datagram. */
  readonly slots: readonly Buffer[]
  /** All of the batch; names are in here at `nameAt`. */
  readonly memory: Buffer
  /** Signed, because V8 keeps signed integers in arrays without boxes. */
  private readonly words: Int32Array
  private readonly nameBytes: number
  private readonly controlBytes: number
  private readonly peerWords: number
  private readonly controlWords: number

  /**
   * @param nameBytes bytes of a socket name, 16 or 28
   * @param withControl room for the local address of each datagram, for sockets that are bound to none
   */
  constructor(calls: SystemCalls, nameBytes: number, withControl: boolean) {
    const arena = new ArrayBuffer(arenaBytes)
    this.memory = Buffer.from(arena)
    this.words = new Int32Array(arena)
    this.headers = Buffer.from(arena, 0, batchSlots * headerBytes)
    this.nameBytes = nameBytes
    this.controlBytes = withControl ? (nameBytes === 16 ? 32 : 40) : 0
    // After port and address sockaddr_in has only padding.
    this.peerWords = nameBytes === 16 ? 2 : 7
    this.controlWords = this.controlBytes >>> 2
    this.slots = Array.from({ length: batchSlots }, (_, slot) =>
      Buffer.from(arena, slotsFrom + slot * slotStride, messageBytesMax),
    )
    this.link(arena, calls.addressOf(this.memory))
  }

  private link(arena: ArrayBuffer, base: bigint): void {
    const view = new DataView(arena)
    for (let slot = 0; slot < batchSlots; slot++) {
      const header = slot * headerBytes
      const iovec = batchSlots * headerBytes + slot * iovecBytes
      view.setBigUint64(header, base + BigInt(this.nameAt(slot)), true)
      view.setUint32(header + nameLengthAt, this.nameBytes, true)
      view.setBigUint64(header + iovecAt, base + BigInt(iovec), true)
      view.setBigUint64(header + iovecCountAt, 1n, true)
      if (this.controlBytes > 0) {
        const control = controlFrom + slot * controlStride
        view.setBigUint64(header + controlAt, base + BigInt(control), true)
        view.setUint32(header + controlLengthAt, this.controlBytes, true)
      }
      view.setBigUint64(iovec, base + BigInt(slotsFrom + slot * slotStride), true)
      view.setUint32(iovec + 8, messageBytesMax, true)
    }
  }

  /** The array of headers from a slot on. */
  headersFrom(slot: number): Buffer {
    return slot === 0 ? this.headers : this.headers.subarray(slot * headerBytes)
  }

  /** Offset in `memory` of a slot's peer name. */
  nameAt(slot: number): number {
    return namesFrom + slot * nameStride
  }

  /** The peer's IPv4 address, as a number for comparison only. */
  v4AddressOf(slot: number): number {
    return this.words[(this.nameAt(slot) >>> 2) + 1] as number
  }

  /** Bytes received into a slot. */
  received(slot: number): number {
    return this.words[(slot * headerBytes + lengthAt) >>> 2] as number
  }

  /** Call before each receive: the kernel has shortened the control lengths where it had less to write. */
  rearm(): void {
    if (this.controlBytes === 0) return
    for (let slot = 0; slot < batchSlots; slot++) {
      this.words[(slot * headerBytes + controlLengthAt) >>> 2] = this.controlBytes
    }
  }

  /** Sets the bytes to send from a slot. */
  setLength(slot: number, bytes: number): void {
    this.words[(batchSlots * headerBytes + slot * iovecBytes + 8) >>> 2] = bytes
  }

  lengthOf(slot: number): number {
    return this.words[(batchSlots * headerBytes + slot * iovecBytes + 8) >>> 2] as number
  }

  /** Addresses a slot to the peer of another batch's slot: from the local address that the datagram was sent to, if known. */
  copyPeer(slot: number, from: MessageBatch, fromSlot: number): void {
    const { words, peerWords, controlWords } = this
    const to = this.nameAt(slot) >>> 2
    const start = from.nameAt(fromSlot) >>> 2
    for (let i = 0; i < peerWords; i++) words[to + i] = from.words[start + i] as number
    if (controlWords === 0) return
    const controlTo = controlAtWord(slot)
    const controlStart = controlAtWord(fromSlot)
    for (let i = 0; i < controlWords; i++) {
      words[controlTo + i] = from.words[controlStart + i] as number
    }
    this.freeInterface(controlTo)
  }

  /** The peer of a received datagram, to be kept. */
  savePeer(slot: number): SavedPeer {
    const { words, peerWords, controlWords } = this
    const saved = new Array<number>(peerWords + controlWords)
    const name = this.nameAt(slot) >>> 2
    for (let i = 0; i < peerWords; i++) saved[i] = words[name + i] as number
    const control = controlAtWord(slot)
    for (let i = 0; i < controlWords; i++) saved[peerWords + i] = words[control + i] as number
    return saved
  }

  /** @param saved from `savePeer` of any batch of the same socket */
  restorePeer(slot: number, saved: SavedPeer): void {
    const { words, peerWords, controlWords } = this
    const name = this.nameAt(slot) >>> 2
    for (let i = 0; i < peerWords; i++) words[name + i] = saved[i] as number
    if (controlWords === 0) return
    const control = controlAtWord(slot)
    for (let i = 0; i < controlWords; i++) words[control + i] = saved[peerWords + i] as number
    this.freeInterface(control)
  }

  /**
   * Lets the routing table choose the interface, whichever one the datagram came in by (cmsghdr is 16 bytes, then in_pktinfo {
   * ifindex, spec_dst, addr } or in6_pktinfo { addr, ifindex }). Link-local destinations carry their own scope.
   */
  private freeInterface(control: number): void {
    this.words[control + (this.nameBytes === 16 ? 4 : 8)] = 0
  }
}

/** A socket name, and the local address for sockets that are bound to none. */
export type SavedPeer = readonly number[]

function controlAtWord(slot: number): number {
  return (controlFrom + slot * controlStride) >>> 2
}

/** Socket option that makes the kernel tell the local address of each datagram (ip(7), ipv6(7)). */
export function localAddressOption(family: 4 | 6): readonly [level: number, option: number] {
  return family === 4 ? [Linux.solIp, Linux.ipPktInfo] : [Linux.solIpv6, Linux.ipv6RecvPktInfo]
}
