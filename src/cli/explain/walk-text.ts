/** A walk along the search list as a tree for people. Pure. */
import type { Explained, Verdict } from './explained.ts'

export interface Asked {
  /** Undefined: no reply; `why` says the reason. */
  readonly rcode: string | undefined
  readonly why: string | undefined
  readonly records: readonly string[]
  readonly tookMs: number
}

export interface Step {
  readonly name: string
  readonly explained: Explained
  /** With `--trace`: what came when it was asked. */
  readonly asked: Asked | undefined
}

const ends: Readonly<Record<Verdict, string>> = {
  answered: 'the walk ends here',
  denied: 'the next name is tried',
  failed: 'glibc tries the next name, musl gives up',
  asked: 'if that is denied, the next name is tried',
}

/** @param head what is looked up, and by which list */
export function walkText(head: string, steps: readonly Step[], left: number): string {
  const parts = steps.map((step, index) =>
    stepText(step, index, index === steps.length - 1 && left === 0),
  )
  const more =
    left === 0 ? '' : `└─ ${left} more ${left === 1 ? 'name is' : 'names are'} not asked\n`
  return `${head}\n${parts.join('')}${more}`
}

function stepText({ explained, asked }: Step, index: number, isLast: boolean): string {
  const { question, outcome, lines, records, verdict } = explained
  const bar = isLast ? '   ' : '│  '
  const details = [
    ...lines.map(({ title, text }) => `${title.padEnd(9)} ${text}`),
    ...records.map((record) => `record    ${record}`),
    ...(asked === undefined ? [] : askedLines(asked)),
    ...(isLast || asked !== undefined ? [] : [`then      ${ends[verdict]}`]),
  ]
  const title = `${isLast ? '└─' : '├─'} ${index + 1}  ${question}: ${outcome}\n`
  return title + details.map((line) => `${bar}    ${line}\n`).join('')
}

function askedLines({ rcode, why, records, tookMs }: Asked): string[] {
  const took = `${tookMs.toFixed(1)} ms`
  return [
    `asked     ${rcode === undefined ? (why ?? 'no reply') : `${rcode}, ${took}`}`,
    ...records.map((record) => `came      ${record}`),
  ]
}
