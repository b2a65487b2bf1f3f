/**
 * Names of the cluster while no server of the cluster is configured. They are denied here, because resolvers outside cannot know
 * them and must not learn them. NXDOMAIN by default: after REFUSED or SERVFAIL musl gives up the whole look-up, so that no outside
 * name with a search domain would resolve (docs/decisions/0042).
 */
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import type { ForetoldReply } from '../../core/stages/stage.ts'
import { type Family, single } from '../../observe/families/family.ts'
import { Ede, Rcode, RrClass } from '../../wire/constants.ts'
import { isAtOrBelow } from '../../wire/name.ts'
import { negativeImage } from '../../wire/reply.ts'
import type { LocalOutlook, LocalStage } from '../local-stage.ts'
import { localSoa } from '../soa.ts'

/** Short: servers may be configured at any time. */
const ttlSeconds = 5
const why = 'a name of the cluster, and cluster.upstreams is empty: nobody else is asked'

export interface UnservedFinding {
  readonly rcode: number
  readonly image: Buffer | undefined
}

export class UnservedStage implements LocalStage<UnservedFinding> {
  readonly name = 'unserved'
  denied = 0
  private outlook: LocalOutlook

  constructor(outlook: LocalOutlook) {
    this.outlook = outlook
  }

  reconfigure(outlook: LocalOutlook): void {
    this.outlook = outlook
  }

  judge({ key, query, question }: Inquiry): UnservedFinding | undefined {
    const zone = this.zoneOf(key.name, key.nameBytes)
    if (zone === undefined || question.qclass !== RrClass.in) return undefined
    const rcode = Rcode[this.outlook.unservedRcode]
    if (rcode !== Rcode.nxdomain) return { rcode, image: undefined }
    return { rcode, image: negativeImage(query, question, rcode, localSoa(zone, ttlSeconds)) }
  }

  commit({ decision }: Inquiry, { rcode, image }: UnservedFinding): true {
    this.denied += 1
    const source = ReplySource.local
    decision.reply({ image, rcode, source, ede: Ede.notAuthoritative }, -1)
    return true
  }

  foretell(_inquiry: Inquiry, { rcode, image }: UnservedFinding): ForetoldReply {
    return { kind: 'reply', why, source: ReplySource.local, rcode, image }
  }

  claims(name: Uint8Array, nameBytes: number): boolean {
    return this.zoneOf(name, nameBytes) !== undefined
  }

  families(): Family[] {
    const about = [
      'neardns_unserved_cluster_names_total',
      'Questions about names of the cluster that nobody could be asked, because cluster.upstreams is empty.',
    ] as const
    return [single('counter', about, () => this.denied)]
  }

  /** A configured zone inside the cluster's names has servers of its own. */
  private zoneOf(name: Uint8Array, nameBytes: number): Uint8Array | undefined {
    const { unserved, claimed } = this.outlook
    // The usual case, on the way of each question that is not in the cache.
    if (unserved.length === 0) return undefined
    const zone = unserved.find((one) => isAtOrBelow(name, nameBytes, one, one.length))
    if (zone === undefined) return undefined
    const isElsewhere = (other: Uint8Array) =>
      other.length > zone.length && isAtOrBelow(name, nameBytes, other, other.length)
    return claimed.some(isElsewhere) ? undefined : zone
  }
}
