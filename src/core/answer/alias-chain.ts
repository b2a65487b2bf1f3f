/**
 * Follows the CNAME chain from the question through the answer section, and marks the records that it reaches. Other records do
 * not belong in the answer (CVE-2025-40778, CVE-2025-11411 and others). RFC 1034 3.6.2, RFC 6672.
 */
import { u16 } from '../../wire/bytes.ts'
import { headerBytes, nameBytesMax, RrType, recordFixedBytes } from '../../wire/constants.ts'
import { copyFoldedName, isAtOrBelow, pointerBits } from '../../wire/name.ts'
import type { ResponseScan } from '../../wire/scan.ts'

/** Aliases followed in one answer. Resolvers stop at 8 to 16 themselves; CoreDNS and dnsmasq pass on what those give that do not. */
const aliasesMax = 64
/** Owner comparisons per message: bounds hostile answers with thousands of unordered records. */
const comparisonsMax = 16_384

/** Whether a folded name is one that this group of upstreams may not answer for. */
export type ForeignName = (name: Buffer, nameBytes: number, group: string) => boolean

/** Result of the last `follow`; reused by each call. */
export class AliasChain {
  /** For each answer record the link of the chain that it belongs to, from 1 on; 0: none. Index as in the scan. */
  readonly reached = new Uint8Array(6_000)
  /** Folded name at the end of the chain: a negative answer is about this name. */
  readonly name = Buffer.allocUnsafeSlow(nameBytesMax)
  nameBytes = 0
  aliases = 0
  /** The chain led to a name that this upstream may not answer for; the records behind it are not reached. */
  isForeign = false
  private readonly owner = new Uint8Array(nameBytesMax)
  /** Index of each alias followed: their owners are the names that the chain has visited. */
  private readonly followed = new Uint16Array(aliasesMax + 1)
  private comparisons = 0

  /** The name at the end, one character a byte. */
  get end(): string {
    return this.name.toString('latin1', 0, this.nameBytes)
  }

  /**
   * @param group that gave the reply
   * @returns false when the chain is a loop or too long to follow
   */
  follow(reply: Uint8Array, scan: ResponseScan, group: string, isForeign: ForeignName): boolean {
    const qtype = u16(reply, scan.questionEnd - 4)
    // Mostly one or two: `fill` is a call into C++.
    for (let i = 0; i < scan.answers; i++) this.reached[i] = 0
    this.nameBytes = copyFoldedName(reply, headerBytes, scan.end, this.name)
    this.aliases = 0
    this.isForeign = false
    this.comparisons = 0
    while (this.markRecordsAtName(reply, scan, qtype)) {
      this.aliases += 1
      if (this.aliases > aliasesMax || this.comparisons > comparisonsMax) return false
      if (this.hasBeenHere(reply, scan)) return false
      if (isForeign(this.name, this.nameBytes, group)) {
        this.isForeign = true
        return true
      }
    }
    return this.nameBytes > 0
  }

  /** Marks the records of the current name. @returns true when an alias moved the chain on to another name */
  private markRecordsAtName(reply: Uint8Array, scan: ResponseScan, qtype: number): boolean {
    const followsAlias = qtype !== RrType.cname && qtype !== RrType.any
    let aliasIndex = -1
    for (let i = 0; i < scan.answers; i++) {
      if (this.reached[i] !== 0 || !this.reaches(reply, scan, i, qtype)) continue
      this.reached[i] = this.aliases + 1
      const isAlias = followsAlias && u16(reply, scan.typeAt[i] as number) === RrType.cname
      if (isAlias && aliasIndex < 0) aliasIndex = i
    }
    return aliasIndex >= 0 && this.moveTo(reply, scan, aliasIndex)
  }

  /** Whether a record belongs to the current name. */
  private reaches(reply: Uint8Array, scan: ResponseScan, index: number, qtype: number): boolean {
    const typeAt = scan.typeAt[index] as number
    const type = u16(reply, typeAt)
    // A record of another class answers another question (RFC 1035 3.2.4), whatever its owner.
    if (u16(reply, typeAt + 2) !== u16(reply, scan.questionEnd - 2)) return false
    // A DNAME stands above the name it redirects; it is kept for validators with its signatures, never followed.
    if (coveredType(reply, scan, index) === RrType.dname && qtype !== RrType.dname)
      return this.ownsAncestor(reply, scan, index)
    const isOfUse =
      type === qtype || type === RrType.cname || type === RrType.rrsig || qtype === RrType.any
    return isOfUse && this.ownsName(reply, scan, index)
  }

  private ownsName(reply: Uint8Array, scan: ResponseScan, index: number): boolean {
    if (this.aliases === 0 && isQuestions(reply, scan.ownerAt[index] as number)) {
      this.comparisons += 1
      return true
    }
    const ownerBytes = this.readOwner(reply, scan, index)
    return (
      ownerBytes === this.nameBytes &&
      isAtOrBelow(this.name, this.nameBytes, this.owner, ownerBytes)
    )
  }

  private ownsAncestor(reply: Uint8Array, scan: ResponseScan, index: number): boolean {
    const ownerBytes = this.readOwner(reply, scan, index)
    return ownerBytes > 0 && isAtOrBelow(this.name, this.nameBytes, this.owner, ownerBytes)
  }

  private readOwner(reply: Uint8Array, scan: ResponseScan, index: number): number {
    this.comparisons += 1
    return copyFoldedName(reply, scan.ownerAt[index] as number, scan.end, this.owner)
  }

  private hasBeenHere(reply: Uint8Array, scan: ResponseScan): boolean {
    for (let i = 0; i < this.aliases; i++) {
      if (this.ownsName(reply, scan, this.followed[i] as number)) return true
    }
    return false
  }

  private moveTo(reply: Uint8Array, scan: ResponseScan, index: number): boolean {
    this.followed[this.aliases] = index
    const dataAt = (scan.typeAt[index] as number) + recordFixedBytes
    // A target that goes beyond its data would be read out of the next record.
    const dataEnd = scan.ownerAt[index + 1] as number
    this.nameBytes = copyFoldedName(reply, dataAt, dataEnd, this.name)
    return this.nameBytes > 0
  }
}

/** Whether an owner is the pointer to the question's own name, by far the most common one. */
function isQuestions(reply: Uint8Array, at: number): boolean {
  return u16(reply, at) === ((pointerBits << 8) | headerBytes)
}

/** The type of a record's set: for a signature the type that it covers (RFC 4034 3.1.1). */
export function coveredType(reply: Uint8Array, scan: ResponseScan, index: number): number {
  const typeAt = scan.typeAt[index] as number
  const type = u16(reply, typeAt)
  if (type !== RrType.rrsig || u16(reply, typeAt + 8) < 2) return type
  return u16(reply, typeAt + recordFixedBytes)
}
