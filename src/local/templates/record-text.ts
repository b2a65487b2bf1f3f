/** A record text of a template: fixed, or made for each question. */
import type { Parsed } from '../../config/address.ts'
import { parseTemplate, type Template } from '../go-template/template.ts'
import type { Value } from '../go-template/value.ts'
import { readRecord } from '../records/read-record.ts'
import type { LocalRecord } from '../records/record.ts'

/** What a template text may name (CoreDNS's templateData, without what would need a decoded message or other plugins). */
const fieldNames = ['Zone', 'Name', 'Regex', 'Match', 'Group', 'Class', 'Type', 'Remote'] as const
export type TemplateData = Readonly<Record<(typeof fieldNames)[number], Value>>

const fields: ReadonlySet<string> = new Set(fieldNames)

/** For settings. @returns the text itself */
export function checkRecordText(text: string): Parsed<string> {
  const template = parseTemplate(text, fields)
  if (!template.ok) return template
  const fixed = template.value.isFixed ? readRecord(text) : undefined
  return fixed?.ok === false ? fixed : { ok: true, value: text }
}

export class RecordText {
  private readonly template: Template | undefined
  private readonly fixed: LocalRecord | undefined

  /** @param text checked before: anything else is a defect and throws */
  constructor(text: string) {
    const template = parseTemplate(text, fields)
    if (!template.ok) throw new Error(template.why)
    const record = template.value.isFixed ? readRecord(text) : undefined
    if (record?.ok === false) throw new Error(record.why)
    this.fixed = record?.value
    this.template = record === undefined ? template.value : undefined
  }

  get isFixed(): boolean {
    return this.fixed !== undefined
  }

  /** @returns undefined when the text cannot be made, or what is made is no record */
  record(data: TemplateData): LocalRecord | undefined {
    if (this.template === undefined) return this.fixed
    const text = this.template.make(data)
    const record = text.ok ? readRecord(text.value) : text
    return record.ok ? record.value : undefined
  }
}
