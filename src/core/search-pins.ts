/**
 * What a client was told about a name in answer mode, for as long as the evidence lasts: A and AAAA of a look-up, and the same
 * look-up a moment later, get one decision, whatever has become known in between (searchpath 3.5, 4.2).
 */
import { RrType } from '../wire/constants.ts'
import type { AliasImage } from './alias-image.ts'
import { LatestMap } from './latest-map.ts'
import { pairMs } from './search-pairs.ts'

/** Look-ups of the last five seconds on one node; two answers of some 200 octets each, and the names. */
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
  /** When it was last given to a question of each family. */
  givenMs: { a: number; aaaa: number }
}

/** Who asks for what. */
export interface Asked {
  readonly client: string
  /** Folded wire form, one character an octet. */
  readonly name: string
  /** A or AAAA. */
  readonly qtype: number
}

export class SearchPins {
  private readonly pins = new LatestMap<Held>(pinsMax)

  get size(): number {
    return this.pins.size
  }

  /** The question that is asked now is the first to get it. */
  set(asked: Asked, pin: Pin, nowMs: number): void {
    const key = keyOf(asked)
    const never = Number.NEGATIVE_INFINITY
    this.pins.set(key, { ...pin, givenMs: { a: never, aaaa: never } })
    this.note(asked, nowMs)
  }

  /** @returns what holds for this question, which is then taken to get it */
  get(asked: Asked, nowMs: number): Pin | undefined {
    const pin = this.peek(asked, nowMs)
    if (pin !== undefined) this.note(asked, nowMs)
    return pin
  }

  /** @returns what would hold for this question */
  peek(asked: Asked, nowMs: number): Pin | undefined {
    if (this.pins.size === 0) return undefined
    const key = keyOf(asked)
    const pin = this.pins.get(key)
    if (pin === undefined) return undefined
    if (nowMs >= pin.untilMs) {
      this.pins.delete(key)
      return undefined
    }
    // Near its end it is for the other half of a pair only: its own other half might come too late.
    const isOpen = nowMs < pin.untilMs - pairMs
    return isOpen || isOtherHalf(pin, asked.qtype, nowMs) ? pin : undefined
  }

  clear(): void {
    this.pins.clear()
  }

  private note(asked: Asked, nowMs: number): void {
    const pin = this.pins.get(keyOf(asked))
    if (pin === undefined) return
    if (asked.qtype === RrType.a) pin.givenMs.a = nowMs
    else pin.givenMs.aaaa = nowMs
  }
}

function isOtherHalf({ givenMs }: Held, qtype: number, nowMs: number): boolean {
  const { a, aaaa } = givenMs
  const [own, other] = qtype === RrType.a ? [a, aaaa] : [aaaa, a]
  return own < other && nowMs < other + pairMs
}

function keyOf({ client, name }: Asked): string {
  return `${client} ${name}`
}
