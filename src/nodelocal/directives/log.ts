/**
 * `log [NAMES...] [FORMAT] { class all|success|denial|error... }`, of all directives of a block in order. Source: plugin/log/setup.go of CoreDNS
 * 1.14. A format of one's own is an error nowhere, not even with unknown fields.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Word, Words } from '../../corefile/words.ts'
import { namesOf, quoted, type Reading, refuse, refuseCount } from '../reading.ts'

export interface LogRule {
  readonly place: CorefilePlace
  /** Lower case, no trailing dot, `.` is the root. */
  readonly names: readonly string[]
  /** As written; absent: CoreDNS's own. */
  readonly format?: string
  /** Empty: all. */
  readonly classes: readonly LogClass[]
}

export type LogClass = 'success' | 'denial' | 'error'

export function readLog(words: Words, reading: Reading): LogRule[] {
  const rules: LogRule[] = []
  while (words.next()) rules.push(readRule(words, reading))
  return rules
}

function readRule(words: Words, reading: Reading): LogRule {
  const { place } = words
  const args = words.rest()
  const format = takeFormat(args, reading)
  const classes = new Set<LogClass | 'all'>()
  while (words.nextInBlock()) for (const one of readClasses(words)) classes.add(one)
  const names = args.length === 0 ? ['.'] : namesOf(args, reading)
  const rule = { place, names, classes: classes.has('all') ? [] : [...classes].filter(isPart) }
  return format === undefined ? rule : { ...rule, format }
}

function readClasses(words: Words): (LogClass | 'all')[] {
  if (words.text !== 'class') {
    refuse(words.place, `\`log\` has no option ${quoted(words.text)}`, '`class` is known')
  }
  const classes = words.rest()
  if (classes.length === 0) return refuseCount(words, 'class all|success|denial|error...')
  return classes.map(({ text, place }) => {
    if (text === 'all' || text === 'success' || text === 'denial' || text === 'error') return text
    const cure = 'write all, success, denial or error, and the "}" on a line of its own'
    return refuse(place, `${quoted(text)} is no class`, cure)
  })
}

function isPart(one: LogClass | 'all'): one is LogClass {
  return one !== 'all'
}

/** A single word is a name, whatever it looks like. */
function takeFormat(args: Word[], reading: Reading): string | undefined {
  const last = args.at(-1)
  if (last?.text.includes('{') !== true) return undefined
  if (args.length === 1) {
    const message = '`log` takes a single word for a zone; a format follows one: log . FORMAT'
    reading.note(last.place, message)
    return undefined
  }
  args.pop()
  if (!/[\r\n]/.test(last.text)) return last.text
  // A line of ours is one line.
  reading.note(last.place, 'the line breaks of this format are written as spaces')
  return last.text.replaceAll(/[\r\n]+/g, ' ')
}
