/** Settings of rewrites: questions that are asked as other ones, and what is done to their answers. */
import type { Parsed } from '../../config/address.ts'
import { choice, item, list, optionalText, parsed } from '../../config/setting.ts'
import { parseType } from '../../core/explain.ts'
import { RrClass, RrType, rcodeNames } from '../../wire/constants.ts'
import { parsePatternText } from '../pattern/pattern.ts'
import { scopeSettings } from '../scope-settings.ts'

/** More than any Corefile that was found has; each costs every question some 50 ns. */
const rewritesMax = 256
const answersMax = 16
/** RFC 2181 8. */
const ttlSecondsMax = 2 ** 31 - 1

/** How a name is compared with `from`. */
export const matchKinds = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const

export interface TtlRange {
  readonly min: number
  readonly max: number
}

/** Numbers of a registry: what is found, and what takes its place. */
export interface Swap {
  readonly from: number
  readonly to: number
}

/** `auto` gives names back what the rule has taken from them; the others replace owners, or what data lead to. */
export type AnswerEdit =
  | { readonly kind: 'auto' }
  | { readonly kind: 'name' | 'value'; readonly from: string; readonly to: string }

export function rewriteList() {
  return list({
    of: item(
      'One rule: the questions that it is for, and what is changed about them and their answers.',
      {
        ...scopeSettings(),
        match: choice({
          of: matchKinds,
          default: 'exact',
          about:
            'How the name is compared with `from`: as a whole, by its beginning, its end, any part (as texts, not by labels), or by an expression of RE2. The name is in lower case and ends with a dot.',
        }),
        from: optionalText({
          what: 'a name, a part of one, or a regular expression',
          parse: nonEmpty,
          examples: ['old.example.', '.corp.example.', '^(.*)[.]corp[.]example[.]$'],
          about:
            'What the name must be, or hold. `zones` and `except` are about the name that the client asks for, this is about what earlier rules have made of it. A missing last dot is added for exact and suffix. Null: every name.',
        }),
        to: optionalText({
          what: 'a name, or a part of one',
          parse: nonEmpty,
          examples: ['new.example.', '{1}.svc.cluster.local.'],
          about:
            'What takes the place of `from`, or of the whole name for exact and regex; {1} is the first group of the expression. The new name is asked of the servers of its own zone. Null: the name stays.',
        }),
        answer: list({
          of: parsed({
            what: 'auto, or name or value with an expression and a name',
            parse: parseAnswer,
            examples: ['auto', 'name (.*)[.]svc[.] {1}.corp.', 'value (.*)[.]svc[.] {1}.corp.'],
          }),
          what: 'changes of answers',
          max: answersMax,
          default: [],
          about:
            'What is done to records of the answer. auto: the new name becomes the old one again, in owners and in what data of CNAME, DNAME, MX, NAPTR, NS, PTR, SOA and SRV lead to; for exact this is always so. name, value: owners, or such data, that an expression matches are replaced.',
        }),
        ...swaps(),
        mode: choice({
          of: ['stop', 'continue'],
          default: 'stop',
          about: 'Whether the rules behind this one see a question that it was for.',
        }),
      },
    ),
    what: 'rules',
    max: rewritesMax,
    default: [],
    about:
      'Questions that are asked as other ones, as by the rewrite plugin of CoreDNS. Before everything else, the cache too: the cache has the answer to the question that is asked.',
  })
}

/** What takes the place of something else, in the question or in its answer. */
function swaps() {
  return {
    type: optionalText({
      what: 'two record types',
      parse: parseTypes,
      examples: ['ANY HINFO'],
      about: 'Type that the question must have, and type that is asked in its place. Null: any.',
    }),
    class: optionalText({
      what: 'two classes',
      parse: parseClasses,
      examples: ['CH IN'],
      about:
        'Class that the question must have, and class that is asked in its place, which can be IN alone. Null: any.',
    }),
    ttl: optionalText({
      what: 'seconds, or a range of them',
      parse: parseTtl,
      examples: ['30', '30-300', '30-', '-300'],
      about:
        'TTL of all records of the answer, or its bounds. They are set in each reply: the cache keeps the answer for the TTL that it came with. Null: TTLs stay.',
    }),
    rcode: optionalText({
      what: 'two RCODEs',
      parse: (text: string) => parseSwap(text, 'RCODEs', rcodeNumber),
      examples: ['SERVFAIL NXDOMAIN'],
      about: 'RCODE of the answer, and RCODE that takes its place. Null: it stays.',
    }),
  }
}

function nonEmpty(text: string): Parsed<string> {
  if (text === '') return { ok: false, why: 'is empty; leave it out to have none' }
  return parsePatternText(text)
}

function parseAnswer(text: string): Parsed<AnswerEdit> {
  const [kind, from, to, ...more] = text.trim().split(/\s+/)
  if (kind === 'auto' && from === undefined) return { ok: true, value: { kind } }
  const isKnown = kind === 'name' || kind === 'value'
  if (isKnown && from !== undefined && to !== undefined && more.length === 0)
    return { ok: true, value: { kind, from, to } }
  const why = `${JSON.stringify(text)} is no change of answers; expected auto, "name EXPRESSION NAME" or "value EXPRESSION NAME"`
  return { ok: false, why }
}

function parseSwap(
  text: string,
  what: string,
  numberOf: (word: string) => number | undefined,
): Parsed<Swap> {
  const words = text.trim().split(/\s+/)
  if (words.length !== 2)
    return {
      ok: false,
      why: `${JSON.stringify(text)} has ${words.length} words; expected two ${what}`,
    }
  const [from, to] = words.map(numberOf)
  if (from !== undefined && to !== undefined) return { ok: true, value: { from, to } }
  const odd = words[from === undefined ? 0 : 1]
  return { ok: false, why: `${JSON.stringify(odd)} is none of the ${what} that can stand here` }
}

/** Types that no question has are not asked. */
const neverAsked: ReadonlySet<number> = new Set([
  RrType.opt,
  RrType.tsig,
  RrType.tkey,
  RrType.axfr,
  RrType.ixfr,
])

export function parseTypes(text: string): Parsed<Swap> {
  return parseSwap(text, 'record types', typeNumber)
}

function typeNumber(word: string): number | undefined {
  const type = parseType(word)
  return type === undefined || neverAsked.has(type) ? undefined : type
}

const names: readonly string[] = rcodeNames

function rcodeNumber(word: string): number | undefined {
  const index = names.indexOf(word.toUpperCase())
  return index < 0 ? undefined : index
}

const classes: ReadonlyMap<string, number> = new Map([
  ['IN', RrClass.in],
  ['CH', RrClass.ch],
  ['HS', RrClass.hs],
  ['NONE', RrClass.none],
  ['ANY', RrClass.any],
])

function parseClasses(text: string): Parsed<Swap> {
  const parsedSwap = parseSwap(text, 'classes', (word) => classes.get(word.toUpperCase()))
  if (!parsedSwap.ok || parsedSwap.value.to === RrClass.in) return parsedSwap
  return { ok: false, why: `${JSON.stringify(text)} asks in another class than IN; write "CH IN"` }
}

/** `30`, `30-300`, `30-` or `-300`. */
export function parseTtl(text: string): Parsed<TtlRange> {
  const [, low = '', dash, high = ''] = /^(\d{0,10})(-)?(\d{0,10})$/.exec(text.trim()) ?? []
  const min = low === '' ? 0 : Number(low)
  const max = dash === undefined ? min : high === '' ? ttlSecondsMax : Number(high)
  const isWritten = low !== '' || high !== ''
  if (isWritten && min <= max && max <= ttlSecondsMax) return { ok: true, value: { min, max } }
  const why = `${JSON.stringify(text)} is no TTL; expected seconds as 30, or a range as 30-300, 30- or -300, up to ${ttlSecondsMax}`
  return { ok: false, why }
}
