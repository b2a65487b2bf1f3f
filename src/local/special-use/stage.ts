/** Special-use names as a stage of the resolver: what they mean is said here, and nobody is asked. */
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import type { ForetoldReply } from '../../core/stages/stage.ts'
import { type Family, family } from '../../observe/families/family.ts'
import { RrClass } from '../../wire/constants.ts'
import { isAtOrBelow } from '../../wire/name.ts'
import type { LocalOutlook, LocalStage } from '../local-stage.ts'
import {
  findSpecial,
  type SpecialName,
  type SpecialUse,
  specialNames,
  specialUses,
} from './names.ts'
import { type LocalReply, localReply } from './reply.ts'

export interface SpecialFinding {
  readonly special: SpecialName
  readonly reply: LocalReply
}

export class SpecialUseStage implements LocalStage<SpecialFinding> {
  readonly name = 'special use'
  readonly answered: Record<SpecialUse, number> = {
    localhost: 0,
    invalid: 0,
    onion: 0,
    local: 0,
    test: 0,
  }
  /** Those that are switched on. */
  private names: readonly SpecialName[] = []
  private claimed: readonly Uint8Array[] = []

  constructor(outlook: LocalOutlook) {
    this.reconfigure(outlook)
  }

  reconfigure({ settings, claimed }: LocalOutlook): void {
    this.names = specialNames.filter(({ use }) => settings.specialUse[use])
    this.claimed = claimed
  }

  judge({ key, query, question }: Inquiry): SpecialFinding | undefined {
    const { name, nameBytes } = key
    const special = this.find(name, nameBytes)
    if (special === undefined || question.qclass !== RrClass.in) return undefined
    const isExact = nameBytes === special.name.length
    return { special, reply: localReply(special, query, question, isExact) }
  }

  commit({ decision }: Inquiry, { special, reply }: SpecialFinding): true {
    this.answered[special.use] += 1
    decision.reply({ ...reply, source: ReplySource.local, ede: -1 }, -1)
    return true
  }

  foretell(_inquiry: Inquiry, { special, reply }: SpecialFinding): ForetoldReply {
    return { kind: 'reply', why: special.why, source: ReplySource.local, ...reply }
  }

  claims(name: Uint8Array, nameBytes: number): boolean {
    return this.find(name, nameBytes) !== undefined
  }

  families(): Family[] {
    return [
      family(
        'counter',
        [
          'neardns_special_use_total',
          'Questions about special-use names, answered here (RFC 6761).',
        ],
        ['name'],
        () => specialUses.map((name) => ({ labels: { name }, value: this.answered[name] })),
      ),
    ]
  }

  private find(name: Uint8Array, nameBytes: number): SpecialName | undefined {
    const special = findSpecial(this.names, name, nameBytes)
    if (special === undefined) return undefined
    for (const zone of this.claimed)
      if (isAtOrBelow(name, nameBytes, zone, zone.length)) return undefined
    return special
  }
}
