/**
 * Makes wrong packets out of right ones. One or more changes per packet, of the kinds that parsers of DNS have fallen
 * over: counts, lengths, pointers, label types, cut and repeated pieces, pieces of another packet.
 */
import type { Random } from './random.ts'

/** Octets with a meaning in DNS: root, largest label, reserved label types, pointers, a pointer to the question. */
const meaningful = [0x00, 0x01, 0x0b, 0x0c, 0x29, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xff]
const counts = [0, 1, 2, 3, 16, 17, 255, 256, 0x7fff, 0x8000, 0xffff]
const messageBytesMax = 65535

/** Works on one scratch buffer, so that a million packets make no garbage. */
export class Mutator {
  /** The packet is at offset 0; the octets behind it are whatever was there before. */
  readonly packet = Buffer.alloc(messageBytesMax)
  packetBytes = 0
  private readonly random: Random
  private readonly changesMax: number
  private readonly corpus: readonly Buffer[]
  private readonly changes: readonly (() => void)[]

  constructor(random: Random, corpus: readonly Buffer[], changesMax: number) {
    this.random = random
    this.changesMax = changesMax
    this.corpus = corpus
    this.changes = [
      () => this.flipBit(),
      () => this.setOctet(),
      () => this.setCount(),
      () => this.setPair(),
      () => this.insertPointer(),
      () => this.cut(),
      () => this.extend(),
      () => this.remove(),
      () => this.repeat(),
      () => this.splice(),
    ]
  }

  /** Makes the next packet. */
  next(): void {
    const { random } = this
    const base = random.pick(this.corpus)
    base.copy(this.packet)
    this.packetBytes = base.length
    for (let left = 1 + random.below(this.changesMax); left > 0; left--) random.pick(this.changes)()
  }

  /** An offset; half of them in the first 64 octets, where header, question and first record are. */
  private offset(): number {
    const { random, packetBytes } = this
    if (packetBytes === 0) return 0
    return random.below(random.below(2) === 0 ? Math.min(packetBytes, 64) : packetBytes)
  }

  private flipBit(): void {
    const at = this.offset()
    this.packet[at] = (this.packet[at] ?? 0) ^ (1 << this.random.below(8))
  }

  private setOctet(): void {
    const { random } = this
    this.packet[this.offset()] = random.below(2) === 0 ? random.pick(meaningful) : random.below(256)
  }

  private setCount(): void {
    this.packet.writeUInt16BE(this.random.pick(counts), 4 + 2 * this.random.below(4))
    this.packetBytes = Math.max(this.packetBytes, this.random.below(13))
  }

  /** Lengths, types and classes are pairs of octets. */
  private setPair(): void {
    const at = Math.min(this.offset(), messageBytesMax - 2)
    this.packet.writeUInt16BE(this.random.pick(counts), at)
  }

  private insertPointer(): void {
    const { random, packetBytes } = this
    const at = Math.min(this.offset(), messageBytesMax - 2)
    const target = random.below(Math.max(1, Math.min(0x3fff, packetBytes + 4)))
    this.packet.writeUInt16BE(0xc000 | (random.below(4) === 0 ? at : target), at)
  }

  private cut(): void {
    this.packetBytes = this.random.below(this.packetBytes + 1)
  }

  private extend(): void {
    const { random } = this
    const more = Math.min(random.below(64), messageBytesMax - this.packetBytes)
    for (let i = 0; i < more; i++) this.packet[this.packetBytes + i] = random.below(256)
    this.packetBytes += more
  }

  private remove(): void {
    const at = this.offset()
    const count = Math.min(1 + this.random.below(16), this.packetBytes - at)
    this.packet.copyWithin(at, at + count, this.packetBytes)
    this.packetBytes -= count
  }

  private repeat(): void {
    const at = this.offset()
    const count = Math.min(
      this.random.below(64),
      this.packetBytes - at,
      messageBytesMax - this.packetBytes,
    )
    this.packet.copyWithin(at + count, at, this.packetBytes)
    this.packetBytes += count
  }

  /** The tail of another packet behind the head of this one. */
  private splice(): void {
    const other = this.random.pick(this.corpus)
    const from = this.random.below(other.length + 1)
    const at = this.offset()
    this.packetBytes = at + other.copy(this.packet, at, from)
  }
}
