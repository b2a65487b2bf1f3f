/**
 * What the cluster's DNS says, for tests of single files of the search path: replies of the kubernetes plugin and of others, and the
 * parts that hear them. Names are text, in wire form one character an octet where the code keeps them so.
 */
import { AuditRun } from '../../../src/core/search/audit-run.ts'
import type { Denial } from '../../../src/core/search/denial.ts'
import { SearchKnowledge, type SearchPathSettings } from '../../../src/core/search/knowledge.ts'
import type { AnsweredName, Observed } from '../../../src/core/search/learning.ts'
import { presentName } from '../../../src/wire/name.ts'
import { name } from '../../fixtures/packets/octets.ts'
import type { TypeName } from '../../support/client/dns-message.ts'
import { aRecord, Core, type ResponseOptions, responseTo, scanned } from '../support.ts'
import { clusterSoa } from './support.ts'

const aa = 0x0400

export function wire(text: string): string {
  return name(text).toString('latin1')
}

export function shown(octets: string): string {
  return presentName(Buffer.from(octets, 'latin1'), 0)
}

export function answeredName(text: string): AnsweredName {
  const octets = name(text)
  return { octets, nameBytes: octets.length, text: octets.toString('latin1') }
}

/** NXDOMAIN as the plugin says it. */
export function denial(qname: string, type: TypeName = 'A', changes: ResponseOptions = {}): Buffer {
  const whole = { rcode: 3, flags: aa, authorities: [clusterSoa()], ...changes }
  return responseTo(qname, type, whole)
}

/** An address for A, NODATA for all other types. */
export function existence(qname: string, type: TypeName = 'A', ttl = 5): Buffer {
  if (type !== 'A') return responseTo(qname, type, { flags: aa, authorities: [clusterSoa()] })
  return responseTo(qname, type, { flags: aa, answers: [aRecord(qname, '10.96.0.9', ttl)] })
}

export function observed(reply: Buffer, lifeSeconds = 5): Observed {
  return { reply, scan: scanned(reply), lifeSeconds }
}

export function knowledge(changes: Partial<SearchPathSettings> = {}): SearchKnowledge {
  return new SearchKnowledge({
    zone: { name: name('cluster.local'), multicluster: false },
    trust: 'declared',
    carveOuts: [],
    auditOneIn: 0,
    ...changes,
  })
}

/** A denial by the cut of that name, or by a rule. */
export function denialBy(kind: string, subject = kind): Denial {
  return {
    evidence: kind === subject ? 'cut' : 'structure',
    kind,
    subject,
    ttlSeconds: 5,
    cut: undefined,
  }
}

/** An audit run before a core whose own questions a test reads; what is reported is kept as text. */
export class AuditBench {
  readonly core = new Core()
  readonly known: SearchKnowledge
  readonly run: AuditRun
  readonly mismatches: string[] = []
  readonly brokenRules: string[] = []

  constructor(changes: Partial<SearchPathSettings> = {}) {
    this.known = knowledge(changes)
    this.run = new AuditRun({
      audit: this.known.audit,
      own: this.core.own,
      reports: {
        onMismatch: (octets, kind) => this.mismatches.push(`${shown(octets)} by ${kindText(kind)}`),
        onBrokenRule: (octets, rule) => this.brokenRules.push(`${shown(octets)} by ${rule}`),
        onAnswerState: () => undefined,
      },
    })
  }

  get nowMs(): number {
    return this.core.nowMs
  }

  /** Takes what was asked of our own accord: `com.cluster.local. 1`, and behind it what is audited. */
  takeAsked(): string[] {
    return this.core.own.take().map((ticket) => {
      const { frame, questionEnd, audited } = ticket
      this.core.inFlight.close(ticket)
      const asked = `${presentName(frame, 12)} ${frame.readUInt16BE(questionEnd - 4)}`
      return audited === undefined ? asked : `${asked} for ${kindText(audited)}`
    })
  }
}

/** Cuts end in the root's octet; rules are phrases. */
function kindText(kind: string): string {
  return kind.endsWith('\0') ? shown(kind) : kind
}
