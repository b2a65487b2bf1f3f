/** One template: whether it is for a question, and what it says of it. Pure. */
import { parseType } from '../../core/explain.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import { Rcode, RrClass, RrType, rcodeNames } from '../../wire/constants.ts'
import { nameText } from '../name-text.ts'
import { compilePattern } from '../pattern/engine.ts'
import type { Pattern } from '../pattern/pattern.ts'
import { parseClass } from '../records/read-record.ts'
import { answerMessage, type LocalRecord } from '../records/record.ts'
import { Scope, ZoneSet } from '../scope.ts'
import type { LocalSettings } from '../settings.ts'
import { RecordText, type TemplateData } from './record-text.ts'
import type { ExtendedError } from './settings.ts'

export type TemplateSettings = LocalSettings['templates'][number]

/** What a template says. `image` is undefined for SERVFAIL. */
export interface TemplateAnswer {
  readonly image: Buffer | undefined
  readonly rcode: number
  readonly extendedError: ExtendedError | undefined
  /** The answer ends with an alias to this name, folded wire form, one character a byte: its owner has the rest. */
  readonly leadsTo: string | undefined
  /** For people. */
  readonly why: string
}

/** - skip: it is for other questions. - pass: no expression matches, and the next one may try. - fail: none matches, and none may. */
export type TemplateVerdict = 'skip' | 'pass' | 'fail' | TemplateMatch

export interface TemplateMatch {
  readonly zone: string
  readonly name: string
  readonly pattern: Pattern | undefined
}

export class TemplateRule {
  private readonly settings: TemplateSettings
  private readonly scope: Scope
  private readonly passed: ZoneSet
  private readonly qclass: number
  private readonly qtype: number
  private readonly rcode: number
  private readonly patterns: readonly Pattern[]
  private readonly texts: readonly (readonly RecordText[])[]
  private readonly isFixed: boolean

  constructor(settings: TemplateSettings) {
    this.settings = settings
    this.scope = new Scope(settings)
    this.passed = new ZoneSet(settings.fallthrough)
    const { class: written, type, rcode, match } = settings
    this.qclass = parseClass(written) ?? RrClass.any
    this.qtype = parseType(type) ?? RrType.any
    this.rcode = rcodeNames.indexOf(rcode)
    this.patterns = match.map(compilePattern)
    const { answer, authority, additional } = settings
    this.texts = [answer, authority, additional].map((texts) =>
      texts.map((text) => new RecordText(text)),
    )
    this.isFixed = this.texts.flat().every((text) => text.isFixed)
  }

  /** Whether some question about the name is for it. @param name folded wire form */
  concerns(name: Uint8Array, nameBytes: number): boolean {
    return this.scope.zoneOf(name, nameBytes) !== undefined
  }

  judge({ key, question }: Inquiry): TemplateVerdict {
    const { qtype, qclass } = question
    if (!isFor(this.qtype, qtype, RrType.any) || !isFor(this.qclass, qclass, RrClass.any))
      return 'skip'
    const zone = this.scope.zoneOf(key.name, key.nameBytes)
    if (zone === undefined) return 'skip'
    if (this.patterns.length === 0 && this.isFixed) return { zone, name: '', pattern: undefined }
    const name = nameText(key.name)
    const pattern = this.patterns.find((one) => one.test(name))
    if (pattern !== undefined || this.patterns.length === 0) return { zone, name, pattern }
    return this.passed.holds(key.name, key.nameBytes) ? 'pass' : 'fail'
  }

  answer({ query, question, asker }: Inquiry, match: TemplateMatch): TemplateAnswer {
    const why = `a template for ${this.settings.class} ${this.settings.type} in ${match.zone}`
    const failed = {
      image: undefined,
      rcode: Rcode.servfail,
      extendedError: undefined,
      leadsTo: undefined,
    }
    if (this.rcode === Rcode.servfail) return { ...failed, why }
    const data = this.isFixed ? noData : this.dataFor(match, question.qtype, asker.clientAddress())
    const [answers, authorities, additionals] = this.texts.map((texts) => recordsOf(texts, data))
    const isMade = answers !== undefined && authorities !== undefined && additionals !== undefined
    const image = isMade
      ? answerMessage(query, question, { rcode: this.rcode, answers, authorities, additionals })
      : undefined
    if (image === undefined) return { ...failed, why: `${why}, of which no record can be made` }
    const leadsTo = this.rcode === Rcode.noerror ? aliasIn(answers, question.qtype) : undefined
    return { image, rcode: this.rcode, extendedError: this.settings.ede ?? undefined, leadsTo, why }
  }

  private dataFor({ zone, name, pattern }: TemplateMatch, qtype: number, remote: string) {
    const match = pattern?.match(name) ?? [name]
    const names = pattern?.groupNames ?? []
    const group = Object.fromEntries([
      ...match.map((text, i) => [String(i), text] as const),
      ...match.flatMap((text, i) => (names[i] ? [[names[i], text] as const] : [])),
    ])
    return {
      Zone: zone,
      Name: name,
      Regex: pattern?.text ?? '.*',
      Match: match,
      Group: group,
      Class: this.settings.class === 'ANY' ? 'IN' : this.settings.class,
      Type: typeName(qtype === RrType.any ? this.qtype : qtype),
      Remote: remote,
    }
  }
}

const noData: TemplateData = {
  Zone: '',
  Name: '',
  Regex: '',
  Match: [],
  Group: {},
  Class: '',
  Type: '',
  Remote: '',
}

/** As in CoreDNS, of questions for addresses alone. */
function aliasIn(answers: readonly LocalRecord[] | undefined, qtype: number): string | undefined {
  const last = answers?.at(-1)
  const isAddress = qtype === RrType.a || qtype === RrType.aaaa
  if (!isAddress || last?.type !== RrType.cname) return undefined
  return Buffer.from(last.data).toString('latin1')
}

function isFor(own: number, asked: number, any: number): boolean {
  return own === any || asked === any || own === asked
}

function typeName(qtype: number): string {
  const known = Object.entries(RrType).find(([, value]) => value === qtype)
  return known === undefined ? `TYPE${qtype}` : known[0].toUpperCase()
}

function recordsOf(
  texts: readonly RecordText[],
  data: TemplateData,
): readonly LocalRecord[] | undefined {
  const records = texts.map((text) => text.record(data))
  return records.every((record) => record !== undefined) ? records : undefined
}
