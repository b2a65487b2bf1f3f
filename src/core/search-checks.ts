/**
 * Has denials of ours checked with CoreDNS, and judges what it says: a rule that is broken once is off; a cut gets a second
 * chance, because the cluster may have changed since (search-doubts.ts).
 */
import { u16 } from '../wire/bytes.ts'
import { Rcode, RrType } from '../wire/constants.ts'
import type { Ticket } from './in-flight.ts'
import type { OwnQuestions } from './own-questions.ts'
import type { SearchAudit } from './search-audit.ts'
import { type Denied, restMs } from './search-doubts.ts'
import type { Denial } from './search-path.ts'

export interface SearchChecksParts {
  readonly audit: SearchAudit
  readonly own: OwnQuestions
  /** A synthesised denial was wrong. @param name folded wire form, one character an octet */
  readonly onMismatch: (name: string, kind: string) => void
}

export class SearchChecks {
  private readonly parts: SearchChecksParts

  constructor(parts: SearchChecksParts) {
    this.parts = parts
  }

  /**
   * Has a denial that is being made checked, if it is its turn.
   * @param isProved CoreDNS has said the same of this name a moment ago
   */
  begin({ kind, subject }: Denial, denied: Denied, nowMs: number, isProved: () => boolean): void {
    const { audit, own } = this.parts
    const doubted = audit.doubts.retry(kind, nowMs)
    if (doubted !== undefined) own.ask(doubted.name, doubted.qtype, kind)
    if (!audit.isDue(subject, denied.name, nowMs) || isProved()) return
    if (own.ask(denied.name, denied.qtype, kind)) audit.begin(subject, denied.name, nowMs)
  }

  /** To be called with each answer of CoreDNS's. @param name of its question, one character an octet */
  finish(ticket: Ticket, name: string, rcode: number, nowMs: number): void {
    if (rcode !== Rcode.noerror && rcode !== Rcode.nxdomain) return
    const { audit, own } = this.parts
    const qtype = u16(ticket.frame, ticket.questionEnd - 4)
    const exists = rcode === Rcode.noerror
    // Only A speaks for a cut (searchpath 2.3).
    if (qtype === RrType.a) this.hear(name, exists, nowMs)
    const { audited } = ticket
    if (audited === undefined) return
    if (!exists) return audit.doubts.dismiss(audited, name)
    if (!isCutName(audited)) return this.mismatch(name, audited, nowMs)
    if (audited === name && qtype === RrType.a) return
    audit.doubts.raise(audited, { name, qtype }, nowMs)
    own.ask(audited, RrType.a)
  }

  private hear(cut: string, exists: boolean, nowMs: number): void {
    const { audit } = this.parts
    const finding = audit.doubts.hear(cut, exists, nowMs)
    if (finding === 'rest') audit.trip(cut, nowMs, restMs)
    else if (finding !== undefined) this.mismatch(finding.name, cut, nowMs)
  }

  private mismatch(name: string, kind: string, nowMs: number): void {
    this.parts.audit.mismatch(kind, nowMs)
    this.parts.onMismatch(name, kind)
  }
}

/** Names end in the root's octet; rules are phrases. */
function isCutName(kind: string): boolean {
  return kind.endsWith('\0')
}
