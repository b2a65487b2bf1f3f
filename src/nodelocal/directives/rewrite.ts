/**
 * `rewrite [continue|stop] FIELD ...`, of all directives of a block in order. Source: plugin/rewrite of CoreDNS 1.14.7: the words of a block are
 * the words of the rule. `cname` is refused, and of `edns0` what differs from client to client.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word, Words } from '../../corefile/words.ts'
import { groupCure, groupMistake } from '../../local/pattern/pattern.ts'
import { matchKinds, parseTtl, parseTypes } from '../../local/rewrites/settings.ts'
import { rcodeNames } from '../../wire/constants.ts'
import { checkPattern, quoted, type Reading, refuse } from '../reading.ts'
import { typeText } from './record-types.ts'
import { readEdns } from './rewrite-edns.ts'

/** As an item of our `rewrites`. */
export interface RewriteRuleText {
  readonly match?: MatchKind
  readonly from?: string
  readonly to?: string
  readonly answer?: readonly string[]
  readonly type?: string
  readonly class?: string
  readonly ttl?: string
  readonly rcode?: string
  readonly mode?: 'continue'
}

export interface RewriteDirective {
  readonly place: CorefilePlace
  /** Absent where nothing is to be done here. */
  readonly rule?: RewriteRuleText
  /** Of `edns0 local set`: as an item of `exchange.ednsOptions`. */
  readonly option?: string
}

type MatchKind = (typeof matchKinds)[number]

interface ReadRule extends RewriteRuleText {
  readonly option?: string
}

interface Rule {
  /** Of the field. */
  readonly place: CorefilePlace
  /** Behind the field. */
  readonly args: readonly Word[]
  readonly reading: Reading
}

const form = 'rewrite [continue|stop] name|type|class|ttl|rcode ...'

export function readRewrite(words: Words, reading: Reading): RewriteDirective[] {
  const directives: RewriteDirective[] = []
  while (words.next()) {
    const { place } = words
    const args = words.rest()
    if (args.length < 2)
      while (words.nextInBlock()) args.push({ text: words.text, place: words.place })
    const { option, ...rule } = readRule(args, place, reading) ?? {}
    const isRule = Object.keys(rule).some((key) => key !== 'mode')
    directives.push({ place, ...(isRule && { rule }), ...(option !== undefined && { option }) })
    if (option !== undefined && rule.mode !== 'continue')
      return unreached(words, directives, reading)
  }
  return directives
}

/** An option that is set ends the rules, for every question. */
function unreached(words: Words, found: RewriteDirective[], reading: Reading): RewriteDirective[] {
  if (!words.next()) return found
  reading.note(
    words.place,
    '`rewrite` behind one of `edns0` without `continue`: no question comes to it, nor to those behind it',
  )
  while (words.next());
  return found
}

function readRule(
  args: readonly Word[],
  start: CorefilePlace,
  reading: Reading,
): ReadRule | undefined {
  const first = args[0]?.text.toLowerCase()
  const hasMode = first === 'continue' || first === 'stop'
  const [field, ...rest] = hasMode ? args.slice(1) : args
  if (field === undefined)
    return refuse(args.at(-1)?.place ?? start, '`rewrite` without a field', form)
  const read = fields.get(field.text.toLowerCase())
  if (read === undefined)
    return refuse(field.place, `\`rewrite\` has no field ${quoted(field.text)}`, form)
  const rule = read({ place: field.place, args: rest, reading })
  return rule && { ...rule, ...(first === 'continue' && { mode: 'continue' as const }) }
}

type Read = (rule: Rule) => ReadRule | undefined

const fields: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['name', readName],
  ['type', readTypes],
  ['class', readClasses],
  ['ttl', readTtl],
  ['rcode', readRcode],
  ['edns0', readEdns],
  ['cname', refuseCname],
  ['answer', refuseAnswer],
])

function readName({ place, args, reading }: Rule): RewriteRuleText {
  const [first, second, third, ...answers] = args
  if (first === undefined || second === undefined)
    return refuse(place, 'too few words for a name', 'expected: name [exact|...] FROM TO')
  if (third === undefined) return exactName(first, second, [], reading)
  const match = matchOf(first)
  const written = answerTexts(answers, place, reading)
  if (match === 'exact') return exactName(second, third, written, reading)
  const answer = written.length === 0 ? {} : { answer: written }
  if (match !== 'regex') return { match, from: dotted(second), to: dotted(third), ...answer }
  checkReplacement(second, third, reading)
  return { match, from: second.text, to: dotted(third), ...answer }
}

function exactName(
  from: Word,
  to: Word,
  answer: readonly string[],
  reading: Reading,
): RewriteRuleText {
  // CoreDNS compiles the new name as an expression, and takes no group for it.
  checkReplacement({ ...to, text: dotted(to) }, from, reading)
  return { from: dotted(from), to: dotted(to), ...(answer.length > 0 && { answer }) }
}

/** Lower case, with the last dot, as CoreDNS compares. */
function dotted({ text }: Word): string {
  const lower = text.toLowerCase()
  return /(?:^|[^\\])(?:\\\\)*\.$/.test(lower) ? lower : `${lower}.`
}

function matchOf({ text, place }: Word): MatchKind {
  const match = matchKinds.find((kind) => kind === text.toLowerCase())
  return (
    match ?? refuse(place, `${quoted(text)} is no way to compare`, `write ${matchKinds.join(', ')}`)
  )
}

function checkReplacement(from: Word, to: Word, reading: Reading): void {
  checkPattern(from, reading)
  const compiled = reading.compilePattern?.(from.text)
  const message = compiled?.ok === true ? groupMistake(compiled.value, to.text) : undefined
  if (message !== undefined) refuse(to.place, message, groupCure)
}

/** `answer` may be left out before all but the first. */
function answerTexts(args: readonly Word[], place: CorefilePlace, reading: Reading): string[] {
  const texts: string[] = []
  const left = [...args]
  const isFirst = () => texts.length === 0
  while (left.length > 0) {
    const word = left[0]
    if (word?.text === 'answer') left.shift()
    else if (isFirst())
      refuse(
        word?.place ?? place,
        `${quoted(word?.text ?? '')} stands where \`answer\` should be`,
        'expected: name KIND FROM TO answer ...',
      )
    texts.push(answerText(left, word?.place ?? place, reading))
  }
  const isNamed = texts.some((text) => text.startsWith('name '))
  if (isNamed && texts.includes('auto'))
    refuse(place, '`answer auto` and `answer name` both replace owners', 'keep one of them')
  return texts
}

/** Takes its words off `left`. */
function answerText(left: Word[], place: CorefilePlace, reading: Reading): string {
  const kind = left.shift()
  if (kind?.text === 'auto') return kind.text
  if (kind?.text !== 'name' && kind?.text !== 'value')
    return refuse(
      kind?.place ?? place,
      `${quoted(kind?.text ?? '')} is no kind of answer`,
      'write auto, name or value',
    )
  const [from, to] = left.splice(0, 2)
  if (from === undefined || to === undefined)
    return refuse(kind.place, `too few words for \`answer ${kind.text}\``, 'expected: FROM TO')
  checkReplacement(from, to, reading)
  const odd = [from, to].find(({ text }) => /\s/.test(text))
  if (odd !== undefined)
    refuse(odd.place, `${quoted(odd.text)} has a blank, which no name has`, 'write \\s for it')
  return `${kind.text} ${from.text} ${dotted(to)}`
}

function readTypes({ place, args }: Rule): RewriteRuleText {
  const [from, to, ...more] = args
  if (from === undefined || to === undefined || more.length > 0)
    return refuse(place, 'wrong number of words', 'expected: type FROM TO')
  const types = [from, to].map(({ text, place: at }) => {
    const type = typeText(text.toUpperCase())
    if (type !== undefined && parseTypes(`${type} ${type}`).ok) return type
    return refuse(at, `${quoted(text)} is no type that is asked for`, 'write it as A, AAAA or ANY')
  })
  return { type: types.join(' ') }
}

const classes: ReadonlySet<string> = new Set(['IN', 'CS', 'CH', 'HS', 'NONE', 'ANY'])

function readClasses({ place, args }: Rule): RewriteRuleText {
  const [from, to, ...more] = args
  if (from === undefined || to === undefined || more.length > 0)
    return refuse(place, 'wrong number of words', 'expected: class FROM TO')
  const odd = [from, to].find(({ text }) => !classes.has(text.toUpperCase()))
  if (odd !== undefined) refuse(odd.place, `${quoted(odd.text)} is no class`, 'write CH IN')
  const [fromText, toText] = [from.text.toUpperCase(), to.text.toUpperCase()]
  if (toText !== 'IN' || fromText === 'CS')
    refuse(
      to.place,
      `\`class ${fromText} ${toText}\` is not supported`,
      'only IN is asked; remove the rule',
    )
  return { class: `${fromText} ${toText}` }
}

function readTtl({ place, args, reading }: Rule): RewriteRuleText {
  const expected = 'ttl [exact|...] NAME SECONDS'
  const { name, values } = nameAnd(1, args, { place, expected, reading })
  const [ttl] = values
  if (ttl === undefined || !parseTtl(ttl.text).ok)
    return refuse(
      ttl?.place ?? place,
      `${quoted(ttl?.text ?? '')} is no TTL`,
      'write 30, 30-300, 30- or -300',
    )
  return { ...name, ttl: ttl.text }
}

/** By number or name; CoreDNS knows those above 10, which no reply without EDNS can have. */
function readRcode({ place, args, reading }: Rule): RewriteRuleText {
  const expected = 'rcode [exact|...] NAME FROM TO'
  const { name, values } = nameAnd(2, args, { place, expected, reading })
  return { ...name, rcode: values.map(rcodeOf).join(' ') }
}

function rcodeOf({ text, place }: Word): string {
  const upper = text.toUpperCase().replace(/^NOTIMPL$/, 'NOTIMP')
  const known = /^\d{1,2}$/.test(text)
    ? rcodeNames[Number(text)]
    : rcodeNames.find((one) => one === upper)
  return (
    known ??
    refuse(
      place,
      `${quoted(text)} is no RCODE that can be replaced`,
      'write names such as SERVFAIL',
    )
  )
}

interface Expected {
  readonly place: CorefilePlace
  readonly expected: string
  readonly reading: Reading
}

/** `[exact|...] NAME VALUES...` */
function nameAnd(
  count: number,
  args: readonly Word[],
  { place, expected, reading }: Expected,
): { readonly name: RewriteRuleText; readonly values: readonly Word[] } {
  const values = args.slice(-count)
  const [first, second, ...more] = args.slice(0, -count)
  if (first === undefined || more.length > 0)
    return refuse(place, 'wrong number of words', `expected: ${expected}`)
  if (second === undefined) return { name: { from: dotted(first) }, values }
  const match = matchOf(first)
  if (match !== 'regex')
    return { name: { ...(match !== 'exact' && { match }), from: dotted(second) }, values }
  checkPattern(second, reading)
  return { name: { match, from: second.text }, values }
}

function refuseCname({ place }: Rule): never {
  const cure = 'put it into the Corefile of CoreDNS, and forward these zones to it'
  return refuse(place, '`rewrite cname` is not supported', cure)
}

function refuseAnswer({ place }: Rule): never {
  return refuse(place, 'an answer can only be rewritten behind a name', 'begin with `name`')
}
