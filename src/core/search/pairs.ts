/**
 * Stubs ask for A and AAAA of a name at once, in either order, and musl takes a pair that contradicts itself for an absent name
 * (SP-14). A denial may end between the two, by age or because a Service was created. So no new look-up is denied in the last
 * quarter of a second of the evidence, and when one half of a pair was denied, the other half is denied for that long, too. The
 * halves are matched by their socket: musl uses one for both, and a stub with two sockets takes what either finds.
 */
import { RrType } from '../../wire/constants.ts'
import { LatestNames } from '../cache/latest-names.ts'

/** The halves of a pair come within milliseconds of each other; those of a stub that is short of CPU within tens. */
export const pairMs = 250
/** More than a busy node denies in the time between the halves of a pair; the latest half of them is kept in any case. */
const membersMax = 8192

/** One question of a look-up. */
export interface PairMember {
  /** Folded wire form, one character a byte. */
  readonly name: string
  readonly client: string
  readonly clientPort: number
  readonly qtype: number
}

/** What is kept of a half that was denied. */
const Field = { qtype: 0, untilMs: 1 } as const
const fields = 2
/** The half in hand. */
const numbers = new Float64Array(fields)

export class Pairs {
  /** Halves that were denied and whose other half has not come. */
  private readonly denied = new LatestNames(membersMax, fields)
  private lastMs = Number.NEGATIVE_INFINITY

  /**
   * Records that a half is being denied.
   * @param untilMs end of the evidence: the other half is denied for no longer than that
   */
  note(member: PairMember, untilMs: number, nowMs: number): void {
    if (!isPairType(member)) return
    const key = keyOf(member)
    // The pair is complete: the next question starts another look-up.
    if (this.denied.read(key, numbers) && isOtherOf(member, nowMs)) {
      this.denied.delete(key)
      return
    }
    numbers[Field.qtype] = member.qtype
    numbers[Field.untilMs] = Math.min(nowMs + pairMs, untilMs)
    this.denied.write(key, numbers)
    this.lastMs = nowMs
  }

  /** Whether no half was denied recently. */
  isQuiet(nowMs: number): boolean {
    return nowMs >= this.lastMs + pairMs
  }

  /** Whether this half has to be denied, because the other was denied a moment ago on evidence that still holds. */
  holds(member: PairMember, nowMs: number): boolean {
    if (this.isQuiet(nowMs) || !isPairType(member)) return false
    return this.denied.read(keyOf(member), numbers) && isOtherOf(member, nowMs)
  }

  /** Whether the same question comes again after its denial, without the other half in between: that is another look-up. */
  repeats(member: PairMember, nowMs: number): boolean {
    if (this.isQuiet(nowMs) || !isPairType(member)) return false
    return this.denied.read(keyOf(member), numbers) && !isOtherOf(member, nowMs)
  }

  /** Makes the next question of this name and socket the start of another look-up. */
  forget(member: PairMember): void {
    this.denied.delete(keyOf(member))
  }
}

/** Whether the type is one of those that make a pair. */
export function isPairType({ qtype }: { readonly qtype: number }): boolean {
  return qtype === RrType.a || qtype === RrType.aaaa
}

/** Whether it is the other half to the one in hand, whose denial still counts. */
function isOtherOf({ qtype }: PairMember, nowMs: number): boolean {
  return numbers[Field.qtype] !== qtype && nowMs < (numbers[Field.untilMs] as number)
}

function keyOf({ name, client, clientPort }: PairMember): string {
  return `${client} ${clientPort} ${name}`
}
