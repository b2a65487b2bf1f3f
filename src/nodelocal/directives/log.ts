/**
 * `log [NAMES...] [FORMAT] { class all|success|denial|error... }`, of all directives of a block in order. Source: plugin/log/setup.go of CoreDNS
 * 1.14. A format of one's own is an error nowhere, not even with unknown fields.
 */
import type { CorefilePlace } from '../../corefile/directive.ts'
import type { Words } from '../../corefile/words.ts'
import { quoted, refuse, refuseCount } from '../reading.ts'

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

export function readLog(words: Words): LogRule[] {
  const rules: LogRule[] = []
  while (words.next()) {
    const { place } = words
    const args = words.rest().map(({ text }) => text)
    // A single word is a name, whatever it looks like.
    const hasFormat = args.length > 1 && args.at(-1)?.includes('{') === true
    const format = hasFormat ? args.pop() : undefined
    const classes = new Set<LogClass | 'all'>()
    while (words.nextInBlock()) for (const one of readClasses(words)) classes.add(one)
    const names = args.length === 0 ? ['.'] : args.map(nameOf)
    const rule = { place, names, classes: classes.has('all') ? [] : [...classes].filter(isPart) }
    rules.push(format === undefined ? rule : { ...rule, format })
  }
  return rules
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

function nameOf(text: string): string {
  return text === '.' ? text : text.toLowerCase().replace(/\.$/, '')
}
