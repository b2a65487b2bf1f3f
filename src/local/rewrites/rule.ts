/** One rule of `rewrites`: whether it is for a question, what becomes of the question, and what is done to the answer. Pure. */
import { Scope } from '../scope.ts'
import type { LocalSettings } from '../settings.ts'
import {
  dotted,
  everyName,
  type NameChange,
  nameChange,
  replacing,
  restoring,
  suffix,
} from './name-change.ts'
import type { AnswerEdit } from './settings.ts'

export type RewriteSettings = LocalSettings['rewrites'][number]

/** A question while rules go over it. */
export interface RewriteDraft {
  /** Lower case, with the trailing dot; no name while a rule has made none. */
  name: string
  qtype: number
  qclass: number
  /** What is done to the answer, in the order of the rules. */
  readonly edits: AnswerChanges[]
}

/** What one rule does to an answer. */
export interface AnswerChanges {
  /** In the order in which they are made. */
  readonly owners: readonly NameChange[]
  readonly values: readonly NameChange[]
  readonly ttl: RewriteSettings['ttl']
  readonly rcode: RewriteSettings['rcode']
}

export class RewriteRule {
  readonly isLast: boolean
  private readonly settings: RewriteSettings
  private readonly scope: Scope
  private readonly change: NameChange
  private readonly fixed: AnswerChanges
  /** Names are given back what the rule took from them. */
  private readonly isRestored: boolean

  constructor(settings: RewriteSettings) {
    const { match, from, to, answer, ttl, rcode } = settings
    this.settings = settings
    this.scope = new Scope(settings)
    this.isLast = settings.mode === 'stop'
    this.change = from === null ? everyName : nameChange(match, from, to ?? undefined)
    const isAuto = answer.some(({ kind }) => kind === 'auto')
    // The end of a name says what it was, without knowing the name.
    const back =
      match === 'suffix' && isAuto && from !== null && to !== null
        ? [suffix(dotted(to), dotted(from))]
        : []
    this.isRestored = to !== null && (match === 'exact' || (isAuto && match !== 'suffix'))
    // The last one that was written comes first, as in CoreDNS.
    const written = answer.toReversed()
    const owners = [...written.flatMap(changeOf('name')), ...back]
    const values = [...written.flatMap(changeOf('value')), ...back]
    this.fixed = { owners, values, ttl, rcode }
  }

  /** Whether it may be for a question about the name. @param name folded wire form of what the client asks for */
  concerns(name: Uint8Array, nameBytes: number): boolean {
    return this.scope.zoneOf(name, nameBytes) !== undefined
  }

  /** @returns whether it was for the question, which then is changed */
  apply(draft: RewriteDraft): boolean {
    const { type, class: rrClass } = this.settings
    if (type !== null && type.from !== draft.qtype) return false
    if (rrClass !== null && rrClass.from !== draft.qclass) return false
    const was = draft.name
    const made = this.change(was)
    if (made === undefined) return false
    draft.name = made
    if (type !== null) draft.qtype = type.to
    if (rrClass !== null) draft.qclass = rrClass.to
    draft.edits.push(this.isRestored ? this.withRestored(made, was) : this.fixed)
    return true
  }

  private withRestored(made: string, was: string): AnswerChanges {
    const { owners, values, ttl, rcode } = this.fixed
    const back = restoring(made, was)
    return { owners: [...owners, back], values: [...values, back], ttl, rcode }
  }
}

function changeOf(kind: 'name' | 'value'): (edit: AnswerEdit) => NameChange[] {
  return (edit) => (edit.kind === kind ? [replacing(edit.from, dotted(edit.to))] : [])
}
