/**
 * What a client was told about a name in answer mode, for as long as the evidence lasts: A and AAAA of a look-up, and the same
 * look-up a moment later, get one decision, whatever has become known in between (searchpath 3.5, 4.2).
 */
import type { AliasImage } from './alias-image.ts'
import { pairMs } from './search-pairs.ts'

/** Look-ups of the last seconds; of 512 octets each at most. */
const pinsMax = 4096

export interface Pin {
  /** Undefined when the client walks its list itself. */
  readonly images: { readonly a: AliasImage; readonly aaaa: AliasImage } | undefined
  /** End of the evidence. */
  readonly untilMs: number
}

interface Held extends Pin {
  lastMs: number
}

export class SearchPins {
  private readonly pins = new Map<string, Held>()

  get size(): number {
    return this.pins.size
  }

  set(client: string, name: string, pin: Pin, nowMs: number): void {
    const key = keyOf(client, name)
    this.pins.delete(key)
    if (this.pins.size >= pinsMax) this.forgetOldest()
    this.pins.set(key, { ...pin, lastMs: nowMs })
  }

  /** @returns what holds for a question that comes now */
  get(client: string, name: string, nowMs: number): Pin | undefined {
    if (this.pins.size === 0) return undefined
    const key = keyOf(client, name)
    const pin = this.pins.get(key)
    if (pin === undefined) return undefined
    if (nowMs >= pin.untilMs) {
      this.pins.delete(key)
      return undefined
    }
    // Near its end it is for the other half of a pair only, or that half might come too late.
    const isOpen = nowMs < pin.untilMs - pairMs
    if (!isOpen && nowMs >= pin.lastMs + pairMs) return undefined
    if (isOpen) pin.lastMs = nowMs
    return pin
  }

  clear(): void {
    this.pins.clear()
  }

  private forgetOldest(): void {
    const [oldest] = this.pins.keys()
    if (oldest !== undefined) this.pins.delete(oldest)
  }
}

function keyOf(client: string, name: string): string {
  return `${client} ${name}`
}
