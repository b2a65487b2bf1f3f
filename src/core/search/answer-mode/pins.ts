/**
 * What a client was told about a name in answer mode, for as long as the evidence lasts: A and AAAA of a look-up, and the same
 * look-up a moment later, get one decision, whatever has been learned in between (SP-24, SP-14). So a look-up must not start when
 * its second half might come after the end of the evidence: in the last quarter of a second only second halves are answered,
 * those whose first half came from the same socket. A stub with a socket for each half, such as Go's, takes what either finds.
 */

import { LatestMap } from '../../cache/latest-map.ts'
import { type PairMember, pairMs } from '../pairs.ts'
import type { AliasImage } from './alias-image.ts'

/** Look-ups of the last five seconds on one node; each takes two answers of some 200 bytes, and the names. */
const pinsMax = 4096

export interface Images {
  readonly a: AliasImage
  readonly aaaa: AliasImage
}

export interface Pin {
  /** Undefined when the client walks its list itself. */
  readonly images: Images | undefined
  /** End of the evidence. */
  readonly untilMs: number
}

interface Held extends Pin {
  /** The questions that got the pin recently. */
  readonly given: Given[]
}

/** A half of a look-up that got the pin. Clients with one address share a pin, and their halves may be interleaved. */
interface Given {
  readonly qtype: number
  readonly clientPort: number
  readonly atMs: number
  /** The other half has come. */
  isWhole: boolean
}

/** Halves remembered for each pin. Several programs of a pod may ask for one name within a quarter of a second. */
const givenMax = 64
/** Pins of one client and name: the latest, and earlier ones whose second halves may still come. */
const heldMax = 4

interface Found {
  readonly pin: Held
  /** The first half that the question completes, if there is one. */
  readonly other: Given | undefined
}

export class Pins {
  /** New look-ups get the last pin of a list. */
  private readonly pins = new LatestMap<readonly Held[]>(pinsMax)

  get size(): number {
    return this.pins.size
  }

  /** Pins a decision; the present question is the first to get it. */
  set(member: PairMember, pin: Pin, nowMs: number): void {
    const held: Held = { ...pin, given: [] }
    const before = (this.pins.get(keyOf(member)) ?? []).filter(({ untilMs }) => nowMs < untilMs)
    this.pins.set(keyOf(member), [...before.slice(1 - heldMax), held])
    note({ pin: held, other: undefined }, member, nowMs)
  }

  /** @returns the pin for this question, which is then recorded as a half that got it */
  get(member: PairMember, nowMs: number): Pin | undefined {
    const found = this.find(member, nowMs)
    if (found !== undefined) note(found, member, nowMs)
    else this.forgetEnded(member, nowMs)
    return found?.pin
  }

  /** @returns the pin that this question would get */
  peek(member: PairMember, nowMs: number): Pin | undefined {
    return this.find(member, nowMs)?.pin
  }

  /** Whether the question is the second of a look-up whose first got a pin. */
  completes(member: PairMember, nowMs: number): boolean {
    return this.find(member, nowMs)?.other !== undefined
  }

  clear(): void {
    this.pins.clear()
  }

  private forgetEnded(member: PairMember, nowMs: number): void {
    const pins = this.pins.get(keyOf(member))
    if (pins?.every(({ untilMs }) => nowMs >= untilMs) === true) this.pins.delete(keyOf(member))
  }

  private find(member: PairMember, nowMs: number): Found | undefined {
    if (this.pins.size === 0) return undefined
    const pins = this.pins.get(keyOf(member))
    const last = pins?.at(-1)
    if (pins === undefined || last === undefined) return undefined
    return (
      findOther(pins, member, nowMs) ??
      (nowMs < last.untilMs - pairMs ? { pin: last, other: undefined } : undefined)
    )
  }
}

function findOther(pins: readonly Held[], member: PairMember, nowMs: number): Found | undefined {
  // The latest first: a question that was asked again began another look-up.
  for (const pin of pins.toReversed()) {
    const other = nowMs < pin.untilMs && pin.given.find((each) => isOtherOf(each, member, nowMs))
    if (other) return { pin, other }
  }
  return undefined
}

function isOtherOf(given: Given, { qtype, clientPort }: PairMember, nowMs: number): boolean {
  const isOfSocket = given.clientPort === clientPort && !isOver(given, nowMs)
  return isOfSocket && given.qtype !== qtype && !given.isWhole
}

/** Whether a question that comes now belongs to another look-up. */
function isOver(given: Given | undefined, nowMs: number): boolean {
  return given !== undefined && nowMs >= given.atMs + pairMs
}

function note(
  { pin: { given }, other }: Found,
  { qtype, clientPort }: PairMember,
  nowMs: number,
): void {
  if (other !== undefined) other.isWhole = true
  while (isOver(given[0], nowMs) || given.length === givenMax) given.shift()
  given.push({ qtype, clientPort, atMs: nowMs, isWhole: other !== undefined })
}

function keyOf({ client, name }: PairMember): string {
  return `${client} ${name}`
}
