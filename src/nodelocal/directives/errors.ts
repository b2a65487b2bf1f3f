/** `errors [stdout] { stacktrace; consolidate DURATION REGEXP [LEVEL] [show_first] }`. Source: plugin/errors/setup.go of CoreDNS 1.14. */
import type { Word, Words } from '../../corefile/words.ts'
import {
  checkPattern,
  duration,
  quoted,
  type Reading,
  refuse,
  refuseCount,
  refuseSecond,
} from '../reading.ts'

export interface ErrorsDirective {
  readonly consolidate: readonly Consolidation[]
}

/** Equal errors are told once in a period. */
export interface Consolidation {
  readonly periodMs: number
  readonly pattern: string
  readonly level: 'warning' | 'error' | 'info' | 'debug'
}

const levels = ['warning', 'error', 'info', 'debug'] as const
const consolidateForm = 'consolidate DURATION REGEXP [warning|error|info|debug] [show_first]'

export function readErrors(words: Words, reading: Reading): ErrorsDirective {
  const consolidate: Consolidation[] = []
  for (let times = 0; words.next(); times++) {
    if (times > 0) refuseSecond(words, 'errors')
    const [target, ...more] = words.rest()
    if (more.length > 0) refuseCount(words, 'errors')
    if (target !== undefined && target.text !== 'stdout') {
      refuse(target.place, `${quoted(target.text)}: errors go to standard output only`, 'remove it')
    }
    while (words.nextInBlock()) consolidate.push(...readOption(words, reading))
  }
  return { consolidate }
}

function readOption(words: Words, reading: Reading): Consolidation[] {
  const { text, place } = words
  if (text === 'consolidate') {
    reading.note(
      place,
      '`consolidate`: there is no line for each failure here that could be joined with others; `neardns_upstream_failures_total` counts failures by upstream and reason',
    )
    return [readConsolidation(words, reading)]
  }
  if (text === 'stacktrace') {
    reading.note(place, '`stacktrace`: a defect is always logged with its stack')
    return []
  }
  const cure = 'stacktrace and consolidate are known'
  return refuse(words.place, `\`errors\` has no option ${quoted(words.text)}`, cure)
}

function readConsolidation(words: Words, reading: Reading): Consolidation {
  const [period, pattern, ...options] = words.rest()
  if (period === undefined || pattern === undefined || options.length > 2) {
    return refuseCount(words, consolidateForm)
  }
  const periodMs = duration(period, 'the time in which equal errors are told once')
  return { periodMs, pattern: checkPattern(pattern, reading), level: levelOf(options) }
}

/** A level, then `show_first`; either may be missing. */
function levelOf(options: readonly Word[]): Consolidation['level'] {
  const level = levels.find((known) => known === options[0]?.text)
  const rest = level === undefined ? options : options.slice(1)
  const odd = rest.find(({ text }) => text !== 'show_first')
  if (odd !== undefined) {
    refuse(odd.place, `\`consolidate\` has no option ${quoted(odd.text)} here`, consolidateForm)
  }
  return level ?? 'error'
}
