/**
 * `template CLASS TYPE [ZONES...] { match answer additional authority rcode ederror fallthrough }`, of all directives of a block in order. Source:
 * plugin/template/setup.go of CoreDNS 1.14.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Words } from '../../corefile/words.ts'
import { checkRecordText } from '../../local/templates/record-text.ts'
import { checkType } from '../../local/templates/settings.ts'
import { rcodeNames } from '../../wire/constants.ts'
import {
  checkPattern,
  fallthroughZones,
  integer,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  zonesOf,
} from '../reading.ts'
import { typeText } from './record-types.ts'

export interface TemplateDirective {
  readonly place: CorefilePlace
  readonly class: string
  readonly type: string
  /** As in `CorefileLabel.zones`. */
  readonly zones: readonly string[]
  readonly match: readonly string[]
  readonly answer: readonly string[]
  readonly authority: readonly string[]
  readonly additional: readonly string[]
  readonly rcode: string
  /** Code, and the text if there is one. */
  readonly ede?: string
  /** Zones whose names go on when nothing matches. */
  readonly fallthrough: readonly string[]
}

type Draft = { -readonly [K in keyof TemplateDirective]: TemplateDirective[K] }

const classes: ReadonlySet<string> = new Set(['IN', 'CH', 'HS', 'ANY'])
const rcodes: ReadonlySet<string> = new Set(rcodeNames)
const sections = ['answer', 'authority', 'additional'] as const

export function readTemplate(words: Words, reading: Reading): TemplateDirective[] {
  const templates: TemplateDirective[] = []
  while (words.next()) templates.push(readOne(words, reading))
  return templates
}

function readOne(words: Words, reading: Reading): TemplateDirective {
  const { place } = words
  const [kind, type] = [readKind(words), readType(words)]
  const zones = words.rest()
  const draft: Draft = {
    place,
    class: kind,
    type,
    zones: zones.length === 0 ? reading.zones : zonesOf(zones, reading),
    match: [],
    answer: [],
    authority: [],
    additional: [],
    rcode: 'NOERROR',
    fallthrough: [],
  }
  while (words.nextInBlock()) readOption(words, draft, reading)
  return draft
}

function readKind(words: Words): string {
  if (!words.nextArgument()) return refuseCount(words, 'template CLASS TYPE [ZONES...]')
  const { text, place } = words
  return classes.has(text) ? text : refuse(place, `${quoted(text)} is no class`, 'write IN or ANY')
}

function readType(words: Words): string {
  if (!words.nextArgument()) return refuseCount(words, 'template CLASS TYPE [ZONES...]')
  const { text, place } = words
  const type = text === text.toUpperCase() ? typeText(text) : undefined
  if (type !== undefined && checkType(type).ok) return type
  return refuse(place, `${quoted(text)} is no type`, 'write it in capitals, as A, AAAA or ANY')
}

function readOption(words: Words, draft: Draft, reading: Reading): void {
  const { text: name, place } = words
  const section = sections.find((one) => one === name)
  if (section !== undefined) {
    draft[section] = [...draft[section], ...texts(words, checkRecordText)]
    return
  }
  switch (name) {
    case 'match':
      draft.match = [...draft.match, ...patterns(words, reading)]
      return
    case 'rcode':
      draft.rcode = readRcode(words)
      return
    case 'ederror':
      draft.ede = readEde(words)
      return
    case 'fallthrough':
      draft.fallthrough = fallthroughZones(words, reading)
      return
    case 'upstream':
      words.rest()
      return
    default: {
      const cure = 'match, answer, additional, authority, rcode, ederror and fallthrough are known'
      refuse(place, `\`template\` has no option ${quoted(name)}`, cure)
    }
  }
}

function patterns(words: Words, reading: Reading): string[] {
  const all = words.rest()
  if (all.length === 0) return refuseCount(words, 'match REGEXP...')
  return all.map((word) => checkPattern(word, reading))
}

type Check = (text: string) => { readonly ok: true } | { readonly ok: false; readonly why: string }

function texts(words: Words, check: Check): string[] {
  const name = words.text
  const all = words.rest()
  if (all.length === 0) return refuseCount(words, `${name} TEXT...`)
  return all.map(({ text, place }) => {
    const checked = check(text)
    return checked.ok ? text : refuse(place, checked.why, 'docs/configuration.md has what is taken')
  })
}

function readRcode(words: Words): string {
  if (!words.nextArgument()) return refuseCount(words, 'rcode RCODE')
  const { text, place } = words
  const rcode = text === 'NOTIMPL' ? 'NOTIMP' : text
  return rcodes.has(rcode)
    ? rcode
    : refuse(place, `${quoted(text)} is no RCODE`, 'write it as NXDOMAIN or NOERROR')
}

function readEde(words: Words): string {
  const [code, reason, ...more] = words.rest()
  if (code === undefined || more.length > 0) return refuseCount(words, 'ederror CODE [TEXT]')
  const value = integer(code, 'an extended error')
  if (value < 0 || value > 65_535) refuse(code.place, `${code.text} is no code`, 'write 0 to 65535')
  return reason === undefined ? `${value}` : `${value} ${reason.text}`
}
