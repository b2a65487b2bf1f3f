/**
 * Stubs ask for A and AAAA of a name at once, in either order, and musl takes a pair that contradicts itself for an absent name
 * (SP-14). What ends a denial, its age or the news of a new Service, may come between the two. So nobody is denied
 * a name anew in the last quarter of a second of its evidence, and when one half of a pair was denied, so is the other for that
 * long. Halves are known by the socket they come from: musl has one for both, and who has two takes what either finds.
 */
import { RrType } from '../../wire/constants.ts'
import { LatestMap } from '../cache/latest-map.ts'

/** Pairs come within milliseconds of each other; those of a stub without CPU within tens. */
export const pairMs = 250
/** More than a busy node denies between the halves of a pair. */
const membersMax = 2048

/** One question of a look-up. */
export interface PairMember {
  /** Folded wire form, one character an octet. */
  readonly name: string
  readonly client: string
  readonly clientPort: number
  readonly qtype: number
}

interface Denied {
  readonly qtype: number
  readonly untilMs: number
}

export class Pairs {
  /** Halves that were denied and whose other half has not come. */
  private readonly denied = new LatestMap<Denied>(membersMax)
  private lastMs = Number.NEGATIVE_INFINITY

  /**
   * A half is being denied.
   * @param untilMs end of the evidence: the other half is denied for no longer than that
   */
  note(member: PairMember, untilMs: number, nowMs: number): void {
    if (!isPairType(member)) return
    const key = keyOf(member)
    // Whole now: what is asked next is another look-up.
    if (isOtherOf(member, this.denied.get(key), nowMs)) {
      this.denied.delete(key)
      return
    }
    this.denied.set(key, { qtype: member.qtype, untilMs: Math.min(nowMs + pairMs, untilMs) })
    this.lastMs = nowMs
  }

  /** Whether nobody was denied anything lately. */
  isQuiet(nowMs: number): boolean {
    return nowMs >= this.lastMs + pairMs
  }

  /** Whether this half has to be denied, because the other one was a moment ago, and on evidence that still holds. */
  holds(member: PairMember, nowMs: number): boolean {
    if (this.isQuiet(nowMs) || !isPairType(member)) return false
    return isOtherOf(member, this.denied.get(keyOf(member)), nowMs)
  }

  /** Whether the same question comes again, after a denial of it that the other one has not followed: it is another look-up. */
  repeats(member: PairMember, nowMs: number): boolean {
    if (this.isQuiet(nowMs) || !isPairType(member)) return false
    const denied = this.denied.get(keyOf(member))
    return denied !== undefined && !isOtherOf(member, denied, nowMs)
  }

  /** The next question of this name and socket is another look-up. */
  forget(member: PairMember): void {
    this.denied.delete(keyOf(member))
  }
}

/** Whether a question is of a type that pairs are made of. */
export function isPairType({ qtype }: { readonly qtype: number }): boolean {
  return qtype === RrType.a || qtype === RrType.aaaa
}

function isOtherOf({ qtype }: PairMember, denied: Denied | undefined, nowMs: number): boolean {
  return denied !== undefined && denied.qtype !== qtype && nowMs < denied.untilMs
}

function keyOf({ name, client, clientPort }: PairMember): string {
  return `${client} ${clientPort} ${name}`
}
