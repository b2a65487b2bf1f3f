/**
 * Templates as a stage of the resolver: the first one for a question decides, as in CoreDNS. One that is for the question and has no
 * expression that matches ends in SERVFAIL, unless it passes the name on.
 */
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import type { ForetoldReply } from '../../core/stages/stage.ts'
import type { Family } from '../../observe/families/family.ts'
import { Rcode } from '../../wire/constants.ts'
import { boundImage } from '../bounded.ts'
import type { LocalOutlook, LocalStage } from '../local-stage.ts'
import { type LocalResult, noResults, resultFamily } from '../result-counts.ts'
import { type TemplateAnswer, TemplateRule } from './rule.ts'

const unmatched: TemplateAnswer = {
  image: undefined,
  rcode: Rcode.servfail,
  extendedError: undefined,
  leadsTo: undefined,
  why: 'a template is for this question, none of its expressions matches, and it passes no name on',
}

export class TemplatesStage implements LocalStage<TemplateAnswer> {
  readonly name = 'templates'
  readonly counts = noResults()
  private rules: readonly TemplateRule[] = []
  private outlook: LocalOutlook

  constructor(outlook: LocalOutlook) {
    this.outlook = outlook
    this.reconfigure(outlook)
  }

  reconfigure(outlook: LocalOutlook): void {
    this.outlook = outlook
    this.rules = outlook.settings.templates.map((settings) => new TemplateRule(settings))
  }

  judge(inquiry: Inquiry): TemplateAnswer | undefined {
    for (const rule of this.rules) {
      const verdict = rule.judge(inquiry)
      if (verdict === 'fail') return unmatched
      if (typeof verdict === 'string') continue
      const answer = rule.answer(inquiry, verdict)
      const { name, nameBytes } = inquiry.key
      if (answer.image !== undefined)
        boundImage(answer.image, this.outlook.limitsOf(name, nameBytes))
      return answer
    }
    return undefined
  }

  commit({ decision }: Inquiry, answer: TemplateAnswer): true {
    const { image, rcode, extendedError, leadsTo } = answer
    this.counts[resultOf(image, rcode)] += 1
    if (leadsTo !== undefined && image !== undefined) {
      decision.head = { leadsTo, image, whole: undefined }
      return true
    }
    const source = ReplySource.local
    const ede = extendedError?.code ?? -1
    const edeText = extendedError === undefined ? undefined : Buffer.from(extendedError.text)
    decision.reply({ image, rcode, source, ede, edeText }, -1)
    return true
  }

  foretell(
    _inquiry: Inquiry,
    { image, rcode, leadsTo, why: reason }: TemplateAnswer,
  ): ForetoldReply {
    const why = leadsTo === undefined ? reason : `${reason}; then the owner of the alias's target`
    return { kind: 'reply', why, source: ReplySource.local, rcode, image }
  }

  alters(name: Uint8Array, nameBytes: number): boolean {
    return this.rules.some((rule) => rule.concerns(name, nameBytes))
  }

  families(): Family[] {
    return [
      resultFamily(
        'neardns_templates_total',
        'Questions answered by a template, by result: records, a denial, or SERVFAIL because no expression matched or no record could be made.',
        this.counts,
      ),
    ]
  }
}

function resultOf(image: Buffer | undefined, rcode: number): LocalResult {
  if (rcode !== Rcode.noerror && rcode !== Rcode.nxdomain) return 'failure'
  // ANCOUNT (RFC 1035 4.1.1).
  return image !== undefined && image.readUInt16BE(6) > 0 ? 'answer' : 'denial'
}
