/** The rules of `rewrites` in their order, as in CoreDNS's plugin: each sees what the ones before it have made of the question. */
import type { Inquiry } from '../../core/inquiry.ts'
import type { Rewriting, Rewritten } from '../../core/rewriting.ts'
import { type Family, family } from '../../observe/families/family.ts'
import { putU16 } from '../../wire/bytes.ts'
import { headerBytes } from '../../wire/constants.ts'
import type { Question } from '../../wire/question.ts'
import { nameOctets, nameText } from '../name-text.ts'
import { RuleRevision } from './revision.ts'
import { type RewriteDraft, RewriteRule, type RewriteSettings } from './rule.ts'

const kinds = ['asked', 'same', 'nameless'] as const

export class Rewriter implements Rewriting {
  readonly counts = { asked: 0, same: 0, nameless: 0 }
  private rules: readonly RewriteRule[] = []

  /** @returns itself; undefined without rules */
  reconfigure(settings: readonly RewriteSettings[]): this | undefined {
    this.rules = settings.map((one) => new RewriteRule(one))
    return this.rules.length === 0 ? undefined : this
  }

  /** Whether some question about the name may be asked as another one. @param name folded wire form */
  concerns(name: Uint8Array, nameBytes: number): boolean {
    return this.rules.some((rule) => rule.concerns(name, nameBytes))
  }

  of(inquiry: Inquiry): Rewritten | undefined {
    const { key, question } = inquiry
    const { name, nameBytes } = key
    let draft: RewriteDraft | undefined
    for (const rule of this.rules) {
      if (!rule.concerns(name, nameBytes)) continue
      draft ??= draftOf(key.name, question)
      if (!rule.apply(draft)) continue
      if (nameOctets(draft.name) === undefined) return { kind: 'nameless' }
      if (rule.isLast) break
    }
    return draft === undefined || draft.edits.length === 0 ? undefined : finish(draft, inquiry)
  }

  count({ kind }: Rewritten): void {
    this.counts[kind] += 1
  }

  families(): Family[] {
    const help =
      'Questions that a rule of rewrites was for, by result: asked as another one, the same with another answer, or SERVFAIL because a rule made what is no name.'
    return [
      family('counter', ['neardns_rewrites_total', help], ['result'], () =>
        kinds.map((kind) => ({ labels: { result: kind }, value: this.counts[kind] })),
      ),
    ]
  }
}

function draftOf(name: Uint8Array, { qtype, qclass }: Question): RewriteDraft {
  return { name: nameText(name), qtype, qclass, edits: [] }
}

function finish(draft: RewriteDraft, { key, query, question }: Inquiry): Rewritten {
  const { qtype, qclass, edits } = draft
  const own = Uint8Array.from(query.subarray(headerBytes, question.questionEnd))
  const revision = new RuleRevision(own, edits)
  const asIs = key.name.subarray(0, key.nameBytes)
  const name = nameOctets(draft.name) ?? asIs
  if (qtype === question.qtype && qclass === question.qclass && asIs.equals(name))
    return { kind: 'same', revision }
  const asked = questionLike(question, name.length)
  asked.qtype = qtype
  asked.qclass = qclass
  const message = Buffer.alloc(asked.questionEnd)
  message.set(query.subarray(0, headerBytes))
  // Only the question is taken over.
  message.fill(0, 6)
  message.set(name, headerBytes)
  putU16(message, asked.qnameEnd, qtype)
  putU16(message, asked.qnameEnd + 2, qclass)
  return { kind: 'asked', query: message, question: asked, revision }
}

/** The same wishes about another name. */
function questionLike(question: Question, nameBytes: number): Question {
  const asked = question.clone()
  asked.qnameEnd = headerBytes + nameBytes
  asked.questionEnd = asked.qnameEnd + 4
  return asked
}
