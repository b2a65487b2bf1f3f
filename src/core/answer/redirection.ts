/**
 * A reply that redirects a whole tree (DNAME) and leaves out the alias of the name that was asked for: the alias is made here, as RFC
 * 6672 3.1 asks of servers and 3.2 of resolvers. Those who validate make their own, and get the DNAME.
 */
import { putU16, u8, u16 } from '../../wire/bytes.ts'
import {
  Flag1,
  headerBytes,
  nameBytesMax,
  Rcode,
  RrType,
  recordFixedBytes,
} from '../../wire/constants.ts'
import { copyFoldedName, isAtOrBelow, pointerBits } from '../../wire/name.ts'
import { ResponseScan, scanResponse } from '../../wire/scan.ts'

interface Response {
  readonly reply: Buffer
  readonly scan: ResponseScan
}

const qname = new Uint8Array(nameBytesMax)
const owner = new Uint8Array(nameBytesMax)
const target = Buffer.alloc(nameBytesMax)
const ownScan = new ResponseScan()

/**
 * @returns the response as it came; or, where there is only a DNAME, one that has nothing but the alias made from it: what stands behind
 * it is asked for. Valid until the next call
 */
export function withAlias(response: Response): Response {
  const { reply, scan } = response
  if (scan.rcode !== Rcode.noerror || scan.tc) return response
  const index = loneDname(reply, scan)
  if (index < 0) return response
  const targetBytes = redirect(reply, scan, index)
  if (targetBytes === 0) return response
  const made = aliasReply(reply, scan, { index, targetBytes })
  return scanResponse(made, made.length, ownScan) ? { reply: made, scan: ownScan } : response
}

/** @returns the index of the first DNAME, or -1 where there is none, or an alias beside it */
function loneDname(reply: Buffer, scan: ResponseScan): number {
  let found = -1
  for (let i = 0; i < scan.answers; i++) {
    const type = u16(reply, scan.typeAt[i] as number)
    if (type === RrType.cname) return -1
    if (type === RrType.dname && found < 0) found = i
  }
  return found
}

/** Puts the name that the question's is redirected to into `target`. @returns its bytes; 0 when there is none, or it is too long */
function redirect(reply: Buffer, scan: ResponseScan, index: number): number {
  const dataAt = (scan.typeAt[index] as number) + recordFixedBytes
  const qnameBytes = copyFoldedName(reply, headerBytes, scan.end, qname)
  const ownerBytes = copyFoldedName(reply, scan.ownerAt[index] as number, scan.end, owner)
  const isBelow = ownerBytes > 0 && isAtOrBelow(qname, qnameBytes, owner, ownerBytes)
  const prefixBytes = qnameBytes - ownerBytes
  if (!isBelow || prefixBytes === 0) return 0
  const newBytes = copyFoldedName(reply, dataAt, scan.ownerAt[index + 1] as number, owner)
  if (newBytes <= 0 || prefixBytes + newBytes > nameBytesMax) return 0
  target.set(qname.subarray(0, prefixBytes))
  target.set(owner.subarray(0, newBytes), prefixBytes)
  return prefixBytes + newBytes
}

/** Header and question of the reply, and the alias, with the class and TTL of its DNAME (RFC 6672 3.1). */
function aliasReply(
  reply: Buffer,
  scan: ResponseScan,
  { index, targetBytes }: { index: number; targetBytes: number },
): Buffer {
  const { questionEnd } = scan
  const typeAt = scan.typeAt[index] as number
  const dataAt = questionEnd + 2 + recordFixedBytes
  const made = Buffer.alloc(dataAt + targetBytes)
  reply.copy(made, 0, 0, questionEnd)
  made[2] = u8(reply, 2) & ~Flag1.aa
  made.fill(0, 6, headerBytes)
  made[7] = 1
  putU16(made, questionEnd, (pointerBits << 8) | headerBytes)
  reply.copy(made, questionEnd + 2, typeAt, typeAt + 8)
  putU16(made, questionEnd + 2, RrType.cname)
  putU16(made, dataAt - 2, targetBytes)
  target.copy(made, dataAt, 0, targetBytes)
  return made
}
