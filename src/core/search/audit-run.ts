/**
 * Checks our denials with CoreDNS, and compares every answer of CoreDNS with them, whether an audit or a client asked. A rule
 * that is broken once is switched off; a cut gets a second chance, because the cluster may have changed in between
 * (core/search/contradictions.ts). Answers no client.
 */
import { u16 } from '../../wire/bytes.ts'
import { Rcode, RrType } from '../../wire/constants.ts'
import type { Ticket } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { SearchAudit } from './audit.ts'
import { type Denied, restMs } from './contradictions.ts'
import type { Denial } from './denial.ts'
import type { Learned } from './learning.ts'
import type { SearchReports } from './reports.ts'

export interface AuditRunParts {
  readonly audit: SearchAudit
  readonly own: OwnQuestions
  readonly reports: SearchReports
}

export class AuditRun {
  private readonly parts: AuditRunParts

  constructor(parts: AuditRunParts) {
    this.parts = parts
  }

  /**
   * Audits the denial that is being given, if an audit is due.
   * @param isProved whether CoreDNS has just denied this very name
   */
  begin({ kind, subject }: Denial, denied: Denied, nowMs: number, isProved: () => boolean): void {
    const { audit, own } = this.parts
    const doubted = audit.contradictions.retry(kind, nowMs)
    if (doubted !== undefined) own.ask(doubted.name, doubted.qtype, kind)
    if (!audit.isDue(subject, denied.name, nowMs) || isProved()) return
    if (own.ask(denied.name, denied.qtype, kind)) audit.begin(subject, denied.name, nowMs)
  }

  /**
   * Call with each answer of CoreDNS.
   * @param name of its question, one character a byte
   * @param learned what was learned from it
   */
  finish(
    ticket: Ticket,
    { name, rcode }: { readonly name: string; readonly rcode: number },
    learned: Learned | undefined,
    nowMs: number,
  ): void {
    if (rcode !== Rcode.noerror && rcode !== Rcode.nxdomain) return
    const qtype = u16(ticket.frame, ticket.questionEnd - 4)
    const exists = rcode === Rcode.noerror
    // Only A is evidence for a cut (SP-8).
    if (qtype === RrType.a) this.hear(name, exists, nowMs)
    if (learned?.brokenRule !== undefined) this.breakRule(learned.brokenRule, name, exists, nowMs)
    for (const cut of learned?.refutedCuts ?? []) {
      if (!this.parts.audit.isOpen(cut, nowMs)) this.contradiction(cut, { name, qtype }, nowMs)
    }
    const { audited } = ticket
    if (audited === undefined || !isCutName(audited)) return
    if (!exists) return this.parts.audit.contradictions.dismiss(audited, name)
    if (audited !== name || qtype !== RrType.a) this.contradiction(audited, { name, qtype }, nowMs)
  }

  /** @param exists whether the name exists; false: something other than the kubernetes plugin denied it */
  private breakRule(rule: string, name: string, exists: boolean, nowMs: number): void {
    const { audit, reports } = this.parts
    if (exists && audit.takeUse(rule)) return this.mismatch(name, rule, nowMs)
    if (!audit.isOpen(rule, nowMs)) reports.onBrokenRule(name, rule)
    audit.trip(rule, nowMs)
  }

  private contradiction(cut: string, denied: Denied, nowMs: number): void {
    const { audit, own } = this.parts
    audit.contradictions.raise(cut, denied, nowMs)
    own.ask(cut, RrType.a)
  }

  private hear(cut: string, exists: boolean, nowMs: number): void {
    const { audit } = this.parts
    const finding = audit.contradictions.hear(cut, exists, nowMs)
    if (finding === 'rest') audit.trip(cut, nowMs, restMs)
    else if (finding !== undefined) this.mismatch(finding.name, cut, nowMs)
  }

  private mismatch(name: string, kind: string, nowMs: number): void {
    this.parts.audit.mismatch(kind, nowMs)
    this.parts.reports.onMismatch(name, kind)
  }
}

/** Names end in the root's zero byte; rules are phrases. */
function isCutName(kind: string): boolean {
  return kind.endsWith('\0')
}
