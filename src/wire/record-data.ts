/**
 * What the data of each record type consist of, as far as it matters to whoever passes them on: where names stand, and whether
 * lengths are right. Types of the IANA registry that are not listed, and all others, are opaque (RFC 3597): their data are copied.
 */
import { u8, u16 } from './bytes.ts'
import { RrType, recordFixedBytes } from './constants.ts'
import { nameLength, skipName } from './name.ts'
import type { NamePlaces } from './name-places.ts'
import type { ResponseScan } from './scan.ts'

/** One part of a record's data: a number of bytes above zero, or one of `Part`. */
export type DataPart = number

export const Part = {
  /** A name that may be compressed: RFC 3597 4 allows it in the types of RFC 1035 alone. */
  packedName: -1,
  /**
   * A name that is never compressed when written. When read it may be: RFC 3597 4 asks for it in the types between RFC 1035 and
   * 3597, and servers compress in later ones, too, although they must not.
   */
  fullName: -2,
  /** A length of one byte and as many bytes: `<character-string>`, or any other value with such a length. */
  text: -3,
  /** Such texts up to the end. */
  texts: -4,
  /** Everything up to the end. */
  rest: -5,
  /** Blocks of a type bitmap (RFC 4034 4.1.2) up to the end: number, length, bits. */
  bitmap: -6,
  /** Parameters of a service (RFC 9460 2.2) up to the end: key, length, value. */
  parameters: -7,
} as const

const { packedName, fullName, text, texts, rest, bitmap, parameters } = Part

const oneName = [packedName]
const oneText = [text]
const onlyTexts = [texts]
const signature = [18, fullName, rest]
const keyData = [4, rest]
const nameAfterTwo = [2, fullName]
const certificate = [3, rest]
const service = [2, fullName, parameters]

const layouts: ReadonlyMap<number, readonly DataPart[]> = new Map([
  // RFC 1035 3.3 and 3.4.
  [RrType.a, [4]],
  [RrType.ns, oneName],
  [RrType.md, oneName],
  [RrType.mf, oneName],
  [RrType.cname, oneName],
  [RrType.soa, [packedName, packedName, 20]],
  [RrType.mb, oneName],
  [RrType.mg, oneName],
  [RrType.mr, oneName],
  [RrType.wks, [5, rest]],
  [RrType.ptr, oneName],
  [RrType.hinfo, [text, text]],
  [RrType.minfo, [packedName, packedName]],
  [RrType.mx, [2, packedName]],
  [RrType.txt, onlyTexts],
  // RFC 1183, 1348, 1712, 2163: before RFC 3597.
  [RrType.rp, [fullName, fullName]],
  [RrType.afsdb, nameAfterTwo],
  [RrType.x25, oneText],
  [RrType.isdn, onlyTexts],
  [RrType.rt, nameAfterTwo],
  [RrType.nsapPtr, [fullName]],
  [RrType.sig, signature],
  [RrType.key, keyData],
  [RrType.px, [2, fullName, fullName]],
  [RrType.gpos, [text, text, text]],
  [RrType.aaaa, [16]],
  [RrType.nxt, [fullName, rest]],
  [RrType.srv, [6, fullName]],
  [RrType.naptr, [4, text, text, text, fullName]],
  [RrType.kx, nameAfterTwo],
  [RrType.cert, [5, rest]],
  [RrType.dname, [fullName]],
  [RrType.ds, keyData],
  [RrType.sshfp, [2, rest]],
  [RrType.rrsig, signature],
  [RrType.nsec, [fullName, bitmap]],
  [RrType.dnskey, keyData],
  [RrType.nsec3, [4, text, text, bitmap]],
  [RrType.nsec3param, [4, text]],
  [RrType.tlsa, certificate],
  [RrType.smimea, certificate],
  [RrType.ninfo, onlyTexts],
  [RrType.talink, [fullName, fullName]],
  [RrType.cds, keyData],
  [RrType.cdnskey, keyData],
  [RrType.csync, [6, bitmap]],
  [RrType.zonemd, [6, rest]],
  [RrType.svcb, service],
  [RrType.https, service],
  [RrType.dsync, [5, fullName]],
  [RrType.spf, onlyTexts],
  // RFC 6742 2, RFC 7043 3 and 4.
  [RrType.nid, [10]],
  [RrType.l32, [6]],
  [RrType.l64, [10]],
  [RrType.lp, nameAfterTwo],
  [RrType.eui48, [6]],
  [RrType.eui64, [8]],
  [RrType.uri, [4, rest]],
  [RrType.caa, [1, text, rest]],
  [RrType.avc, onlyTexts],
  [RrType.resinfo, onlyTexts],
  [RrType.wallet, onlyTexts],
  [RrType.cla, onlyTexts],
  [RrType.ta, keyData],
  [RrType.dlv, keyData],
])

/** @returns undefined for opaque data */
export function layoutOf(type: number): readonly DataPart[] | undefined {
  return layouts.get(type)
}

/**
 * Steps over one part.
 * @returns the offset after it, at most `end`; -1 when the data are malformed
 */
export function skipPart(bytes: Uint8Array, part: DataPart, at: number, end: number): number {
  if (part > 0) return at + part <= end ? at + part : -1
  if (part === packedName || part === fullName) return skipName(bytes, at, end)
  if (part === rest) return end
  if (part === text) return skipText(bytes, at, end)
  let next = at
  while (next >= 0 && next < end) next = skipBlock(bytes, part, next, end)
  return next
}

function skipBlock(bytes: Uint8Array, part: DataPart, at: number, end: number): number {
  if (part === texts) return skipText(bytes, at, end)
  if (part === bitmap) return skipText(bytes, at + 1, end)
  const next = at + 4 <= end ? at + 4 + u16(bytes, at + 2) : -1
  return next <= end ? next : -1
}

function skipText(bytes: Uint8Array, at: number, end: number): number {
  const next = at < end ? at + 1 + u8(bytes, at) : -1
  return next <= end ? next : -1
}

/**
 * Whether data can stay as they are: lengths are right, and names are sound, in full where they must be, and otherwise compressed.
 * @param end offset after the data, whose type stands 10 bytes before them
 * @param places names of the same message before the data; those in the data are entered
 */
export function isFinished(
  bytes: Uint8Array,
  at: number,
  end: number,
  places: NamePlaces,
): boolean {
  return fills(bytes, at, end, places)
}

/** Whether the data of the type that stands 10 bytes before them end at `end`, every part being right. */
function fills(bytes: Uint8Array, at: number, end: number, places?: NamePlaces): boolean {
  const type = u16(bytes, at - recordFixedBytes)
  if (type === RrType.a) return at + 4 === end
  if (type === RrType.aaaa) return at + 16 === end
  const layout = layouts.get(type)
  if (layout === undefined) return true
  let next = at
  for (let i = 0; i < layout.length && next >= 0; i++) {
    const part = layout[i] as DataPart
    const isName = part === packedName || part === fullName
    if (!isName) next = skipPart(bytes, part, next, end)
    else if (places === undefined) next = skipSound(bytes, next, end)
    else next = skipFinished(part, next, end, places)
  }
  return next === end
}

/** Steps over a name; -1 for one that has to be written anew. */
function skipFinished(part: DataPart, at: number, end: number, places: NamePlaces): number {
  const next = places.add(at, end)
  const isFull = part === fullName
  // The root cannot be shorter.
  return places.isInFull === isFull || next === at + 1 ? next : -1
}

/** Label steps for the names in one response's data, as in `scanResponse` for the owners. */
const nameStepsMax = 65_536
const budget = { steps: 0 }

/** Whether the data of the answers can be read, and those of the SOA that a denial rests on. Other records may be of no use anyhow. */
export function hasSoundData(reply: Uint8Array, scan: ResponseScan): boolean {
  budget.steps = nameStepsMax
  for (let i = 0; i < scan.answers; i++) if (!isSound(reply, scan, i)) return false
  return scan.soaIndex < 0 || isSound(reply, scan, scan.soaIndex)
}

function isSound(reply: Uint8Array, scan: ResponseScan, index: number): boolean {
  const at = (scan.typeAt[index] as number) + recordFixedBytes
  return fills(reply, at, scan.ownerAt[index + 1] as number)
}

/** Steps over a name; -1 for one that cannot be read. */
function skipSound(bytes: Uint8Array, at: number, end: number): number {
  return nameLength(bytes, at, end, budget) < 0 ? -1 : skipName(bytes, at, end)
}
