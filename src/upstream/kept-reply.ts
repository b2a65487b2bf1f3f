/**
 * The best of the replies to one question that did not end it: what the client gets when no upstream has an answer. Keeps its own
 * copy. Asks nobody.
 */
import { Rcode } from '../wire/constants.ts'
import { hasSoundData } from '../wire/record-data.ts'
import { isEmptyHanded } from '../wire/referral.ts'
import type { ResponseScan } from '../wire/scan.ts'
import type { Upstream } from './attempt.ts'
import { isCutAnswer } from './policy/choice.ts'

const denialWorth = 4

export class KeptReply {
  reply: Buffer
  upstream: Upstream
  private worth: number

  constructor(reply: Buffer, scan: ResponseScan, upstream: Upstream) {
    this.reply = Buffer.from(reply)
    this.upstream = upstream
    this.worth = worthOf(reply, scan)
  }

  /** Half an answer, which sends the client to TCP. */
  get isCut(): boolean {
    return this.worth >= cutWorth
  }

  /** NXDOMAIN from further down the order, while those above it are silent. */
  get isDenial(): boolean {
    return this.worth === denialWorth
  }

  /** Takes the reply in place of the one that is kept if it says more. */
  offer(reply: Buffer, scan: ResponseScan, upstream: Upstream): void {
    const worth = worthOf(reply, scan)
    if (worth <= this.worth) return
    this.reply = Buffer.from(reply)
    this.upstream = upstream
    this.worth = worth
  }
}

const cutWorth = 5

/**
 * Half an answer, the longer the better, is more than a denial that is not the last word yet, and that is more than any error.
 * SERVFAIL comes from a server that has tried; one that refused has not; an empty reply may mean that there is nothing; the others
 * did not understand, lead elsewhere, or sent what cannot be read.
 */
function worthOf(reply: Buffer, scan: ResponseScan): number {
  if (!hasSoundData(reply, scan)) return 0
  if (isCutAnswer(scan)) return cutWorth + scan.answers
  switch (scan.rcode) {
    case Rcode.nxdomain:
      return denialWorth
    case Rcode.servfail:
      return 3
    case Rcode.refused:
      return 2
    default:
      return isEmptyHanded(scan) ? 1 : 0
  }
}
