/**
 * The structures that the program in the kernel shares with us, byte for byte as in hit.bpf.c: keys, answers, settings, counters. Pure.
 * Numbers are little-endian but where a packet gets them as they stand.
 */
import { addressBytes } from '../address/ip-address.ts'
import { putU32, u16, u32 } from '../wire/bytes.ts'
import { headerBytes, nameBytesMax, recordFixedBytes } from '../wire/constants.ts'
import { skipName } from '../wire/name.ts'
import type { AddressRun } from '../wire/rotation.ts'

/** What fits; everything else is left to the daemon. */
export const answerBytesMax = 512
export const recordsMax = 12

export const keyBytes = 16
export const answerSize = 952
export const settingsBytes = 32
export const addressKeyBytes = 20
export const useBytes = 8
/** Of a query: either family, without EDNS, with OPT, with OPT and cookie. */
export const shapes = 6
/** Of `struct scratch`. */
export const scratchBytes = 544 + answerSize + 4 * answerBytesMax
/** 64 ports each. */
export const portWords = 1024

/** What the program counts beside hits: packets to our addresses that it passed up, and why. */
export const passedReasons = ['unknown', 'old', 'odd', 'unleased', 'large', 'torn'] as const
export type PassedReason = (typeof passedReasons)[number]
/** Hits, then the reasons. */
export const countSlots = 8

const [nameAt, moreTtlsAt, bytesEnd] = [8, 264, 888]
const [storedAt, slotAt, flagsAt, answerBytesAt, recordsAt] = [888, 904, 908, 916, 920]
const [turnedAt, ttlsAt, endAt] = [922, 928, 944]
/** TTLs that lie beside the rest of what every hit reads. */
const ttlsNear = 2
const addressRecordBytes = [16, 28] as const

/** Numbers that no client knows: names that share a hash cannot be chosen. */
export interface HashSecret {
  readonly seed: bigint
  /** Odd. */
  readonly multiplier: bigint
}

export interface KernelSettings extends HashSecret {
  /** CLOCK_BOOTTIME. */
  readonly leaseNs: bigint
  readonly replyBytesMax: number
  readonly servers: number
}

export function writeSettings(into: Buffer, settings: KernelSettings): void {
  into.writeBigUInt64LE(settings.leaseNs, 0)
  into.writeBigUInt64LE(settings.seed, 8)
  into.writeBigUInt64LE(settings.multiplier, 16)
  into.writeUInt32LE(settings.replyBytesMax, 24)
  into.writeUInt32LE(settings.servers, 28)
}

/** @param address as in `IpAddress` */
export function writeAddress(into: Buffer, address: string, port: number): void {
  const octets = addressBytes(address)
  into.fill(0)
  if (octets.length === 4) into.writeUInt16BE(0xffff, 10)
  into.set(octets, octets.length === 4 ? 12 : 0)
  into.writeUInt16BE(port, 16)
}

const mask64 = (1n << 64n) - 1n

/**
 * @param name folded wire form
 * @param into `keyBytes` long
 */
export function writeKey(into: Buffer, name: Buffer, qtype: number, secret: HashSecret): void {
  let hash = secret.seed
  const words = Buffer.alloc(Math.ceil(name.length / 8) * 8)
  name.copy(words)
  for (let at = 0; at < words.length; at += 8) {
    hash = ((hash ^ words.readBigUInt64LE(at)) * secret.multiplier) & mask64
    hash ^= hash >> 29n
  }
  into.writeBigUInt64LE(hash, 0)
  into.writeUInt16BE(qtype, 8)
  into.writeUInt16LE(name.length, 10)
  into.writeUInt32LE(0, 12)
}

export interface KernelAnswer {
  readonly generation: bigint
  /** Since when its TTLs go down, CLOCK_BOOTTIME. */
  readonly storedNs: bigint
  readonly expiresNs: bigint
  readonly slot: number
  /** The whole message, as stored: ID 0, no OPT. */
  readonly image: Buffer
  /** Whole seconds since `storedNs` at which the image has the TTLs that it has. */
  readonly agedSeconds: number
  /** Addresses that take turns; 0 for none. */
  readonly run: AddressRun
  /** Folded wire form. */
  readonly name: Buffer
}

/**
 * @param into `answerSize` long
 * @returns false for an answer that the program cannot give
 */
export function writeAnswer(into: Buffer, answer: KernelAnswer): boolean {
  const { image, name, run } = answer
  const from = headerBytes + name.length + 4
  const octets = image.length - from
  const records = u16(image, 6) + u16(image, 8) + u16(image, 10)
  if (octets < 0 || octets > answerBytesMax || records > recordsMax) return false
  if (name.length > nameBytesMax) return false
  into.fill(0)
  into.writeBigUInt64LE(answer.generation, 0)
  into.writeBigUInt64LE(answer.storedNs, storedAt)
  into.writeBigUInt64LE(answer.expiresNs, storedAt + 8)
  name.copy(into, nameAt)
  into.writeUInt32LE(answer.slot, slotAt)
  image.copy(into, flagsAt, 2, 4)
  image.copy(into, flagsAt + 2, 6, headerBytes)
  into.writeUInt16LE(octets, answerBytesAt)
  into.writeUInt16LE(records, recordsAt)
  writeTurns(into, run, from)
  image.copy(into, bytesEnd - octets, from)
  if (!writeTtls(into, image, from, answer.agedSeconds)) return false
  into.writeUInt16LE(sumOf(into.subarray(bytesEnd - octets, bytesEnd)), answerBytesAt + 2)
  into.writeBigUInt64LE(answer.generation, endAt)
  return true
}

function writeTurns(into: Buffer, run: AddressRun, from: number): void {
  if (run === 0) return
  into.writeUInt16LE((run & 0xffff) - from, turnedAt)
  into.writeUInt16LE(addressRecordBytes[(run >>> 16) & 1] as number, turnedAt + 2)
  into.writeUInt16LE(run >>> 17, turnedAt + 4)
}

/** Moves the TTLs from the records to a list. @returns false for a malformed image */
function writeTtls(into: Buffer, image: Buffer, from: number, agedSeconds: number): boolean {
  const records = into.readUInt16LE(recordsAt)
  let at = from
  for (let i = 0; i < records; i++) {
    const fixedAt = skipName(image, at, image.length)
    if (fixedAt < 0 || fixedAt + recordFixedBytes > image.length) return false
    const ttlAt = fixedAt + 4
    // As it was at storing: the program takes off the whole age.
    const listAt = i < ttlsNear ? ttlsAt + 8 * i : moreTtlsAt + 8 * (i - ttlsNear)
    into.writeUInt32LE(Math.min(u32(image, ttlAt) + agedSeconds, 0xffff_ffff), listAt)
    into.writeUInt16LE(ttlAt - from, listAt + 4)
    putU32(into, bytesEnd - image.length + ttlAt, 0)
    at = fixedAt + recordFixedBytes + u16(image, fixedAt + 8)
  }
  return at === image.length
}

/** One's complement sum of 16-bit words in the machine's order (RFC 1071). */
function sumOf(octets: Buffer): number {
  let sum = 0
  for (let i = 0; i < octets.length; i++) sum += (octets[i] as number) << (8 * (i & 1))
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
