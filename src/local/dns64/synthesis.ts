/** Makes the answer to a question for AAAA from the answer to the one for A (RFC 6147 5.4, RFC 6052 2.2). */
import type { Reply, Revision } from '../../core/reply.ts'
import { Rcode } from '../../wire/constants.ts'
import { reviseImage } from '../../wire/revise.ts'
import { messageOf } from '../rewrites/revision.ts'

export interface SynthesisTerms {
  /** Section of the client's query. */
  readonly question: Uint8Array
  /** 4 to 12 bytes. */
  readonly prefix: Uint8Array
  readonly ttlSecondsMax: number
  /** What the client gets when there is no A record either. */
  readonly otherwise: Reply
  readonly onTranslated: () => void
}

export class Synthesis implements Revision {
  private readonly terms: SynthesisTerms

  constructor(terms: SynthesisTerms) {
    this.terms = terms
  }

  revise(reply: Reply): Reply {
    const { question, prefix, ttlSecondsMax, otherwise, onTranslated } = this.terms
    const message = messageOf(reply)
    if (message === undefined || reply.rcode !== Rcode.noerror) return otherwise
    let made = 0
    const translate = (address: Uint8Array) => {
      made += 1
      return translated(prefix, address)
    }
    const image = reviseImage(message, question, { toIpv6: { translate, ttlSecondsMax } })
    if (image === undefined || made === 0) return otherwise
    onTranslated()
    const { rcode, source, ede, edeText } = reply
    return { image, rcode, source, ede, edeText }
  }
}

/** The ninth byte is zero: bits 64 to 71 have a meaning of their own in interface identifiers (RFC 6052 2.2). */
function translated(prefix: Uint8Array, address: Uint8Array): Uint8Array {
  const octets = new Uint8Array(16)
  octets.set(prefix)
  let to = prefix.length
  for (const octet of address) {
    if (to === 8) to += 1
    octets[to++] = octet
  }
  return octets
}
