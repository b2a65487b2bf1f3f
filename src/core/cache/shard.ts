/**
 * One part of the cache, bounded in entries and bytes, and its eviction. First to go are values that were not asked for again
 * since they were queued, then those not asked for since their last second chance; so names that come once (water torture, a
 * scan) evict each other and not the names in use. S3-FIFO, with a budget for new denials: docs/decisions/0021.
 */

import type { KeyBytes } from './key-bytes.ts'
import { KeyIndex } from './key-index.ts'
import { CacheQueue, Standing, type Storable } from './queue.ts'

export interface ShardLimits {
  readonly entriesMax: number
  readonly bytesMax: number
  /** Share of both limits for denials that were not asked for again. */
  readonly denialShare: number
}

/** Not one: A and AAAA of a name that does not exist are a miss and a use, by one and the same call of getaddrinfo. */
const usesToProve = 2
/** Shares that new answers and new denials keep when the rest is in use: a new name needs a chance to be asked for again. */
const newAnswersShareMin = 0.1
const newDenialsShareMin = 0.05

function used<V extends Storable>(value: V | undefined): V | undefined {
  if (value !== undefined && value.uses < usesToProve) value.uses += 1
  return value
}

export class CacheShard<V extends Storable> {
  private readonly limits: ShardLimits
  private readonly onEvicted: (value: V) => void
  private readonly index = new KeyIndex<V>()
  private readonly proven = new CacheQueue<V>()
  private readonly answers = new CacheQueue<V>()
  private readonly denials = new CacheQueue<V>()

  constructor(limits: ShardLimits, onEvicted: (value: V) => void) {
    this.limits = limits
    this.onEvicted = onEvicted
  }

  get(keys: KeyBytes): V | undefined {
    return used(this.index.find(keys))
  }

  getText(key: string, nameHash: number): V | undefined {
    return used(this.index.findText(key, nameHash))
  }

  /** Finds a value without counting a use. */
  peek(key: string, nameHash: number): V | undefined {
    return this.index.findText(key, nameHash)
  }

  /** False when no value has the key of that hash. */
  mayHave(keyHash: number): boolean {
    return this.index.mayHave(keyHash)
  }

  take(key: string, nameHash: number): V | undefined {
    const value = this.index.findText(key, nameHash)
    if (value === undefined) return undefined
    this.index.remove(value)
    this.lineOf(value).lose(value)
    return value
  }

  /** The value must fit, and no value may be stored under its key. */
  add(value: V): void {
    if (value.isDenial && value.standing !== Standing.proven) this.makeRoomForDenial(value)
    this.makeRoom(value)
    if (value.standing === Standing.none) value.standing = Standing.fresh
    this.index.add(value)
    this.lineOf(value).push(value)
  }

  *all(): Generator<V> {
    yield* this.denials.all()
    yield* this.answers.all()
    yield* this.proven.all()
  }

  private get heldBytes(): number {
    return this.proven.heldBytes + this.answers.heldBytes + this.denials.heldBytes
  }

  private lineOf({ standing, isDenial }: V): CacheQueue<V> {
    if (standing === Standing.proven) return this.proven
    return isDenial ? this.denials : this.answers
  }

  private makeRoom({ bytes }: V): void {
    const { entriesMax, bytesMax } = this.limits
    while (this.index.size >= entriesMax || this.heldBytes + bytes > bytesMax) {
      this.pass(this.whoMakesRoom())
    }
  }

  private makeRoomForDenial({ bytes }: V): void {
    const { denials } = this
    const { entriesMax, bytesMax, denialShare } = this.limits
    const isFull = () =>
      denials.entries >= denialShare * entriesMax ||
      denials.heldBytes + bytes > denialShare * bytesMax
    while (denials.heldBytes > 0 && isFull()) this.pass(denials)
  }

  private whoMakesRoom(): CacheQueue<V> {
    const { answers, denials, proven } = this
    if (this.isAbove(denials, newDenialsShareMin)) return denials
    if (this.isAbove(answers, newAnswersShareMin)) return answers
    if (proven.heldBytes > 0) return proven
    return answers.heldBytes > 0 ? answers : denials
  }

  private isAbove({ entries, heldBytes }: CacheQueue<V>, share: number): boolean {
    const { entriesMax, bytesMax } = this.limits
    return heldBytes > share * bytesMax || entries > share * entriesMax
  }

  /** Evicts the head unless it is in use; then it is queued once more, with the proven values. */
  private pass(line: CacheQueue<V>): void {
    const value = line.shift()
    if (value === undefined) return
    if (value.uses < (value.standing === Standing.proven ? 1 : usesToProve)) {
      value.standing = Standing.none
      this.index.remove(value)
      this.onEvicted(value)
      return
    }
    value.uses = 0
    value.standing = Standing.proven
    this.proven.push(value)
  }
}
