/** What `check` and `doctor` have found: one line each with a tick or a cross, the cause, and the next command. Pure. */
import { wrap } from '../command-line/wrap.ts'

/** `note`: worth knowing, no fault. `unknown`: it could not be looked at. */
export type FindingState = 'ok' | 'fault' | 'note' | 'unknown'

export interface Finding {
  /** A word or two: `upstream`, `kube-proxy`. */
  readonly about: string
  readonly state: FindingState
  /** What was seen, without a full stop. */
  readonly what: string
  /** Why, as far as it can be known. */
  readonly cause?: string
  /** What to do: a command, or a setting. */
  readonly next?: string
}

const signs: Readonly<Record<FindingState, string>> = {
  ok: '✓',
  fault: '✗',
  note: '!',
  unknown: '?',
}
const aboutWidth = 14

export function ok(about: string, what: string): Finding {
  return { about, state: 'ok', what }
}

export function fault(about: string, what: string, why: { cause: string; next: string }): Finding {
  return { about, state: 'fault', what, ...why }
}

export function note(about: string, what: string, next?: string): Finding {
  return { about, state: 'note', what, ...(next !== undefined && { next }) }
}

export function unknown(about: string, what: string, next: string): Finding {
  return { about, state: 'unknown', what, next }
}

/** @param columns width of the terminal @param paint colours a sign */
export function findingsText(
  findings: readonly Finding[],
  columns: number,
  paint: (state: FindingState, text: string) => string = (_, text) => text,
): string {
  return findings
    .map(({ about, state, what, cause, next }) => {
      const indent = ' '.repeat(aboutWidth + 2)
      const body = wrap(what, columns, indent).slice(indent.length)
      const more = [
        ...(cause === undefined ? [] : [wrap(`cause: ${cause}`, columns, indent)]),
        ...(next === undefined ? [] : [wrap(`next:  ${next}`, columns, indent)]),
      ]
      return `${paint(state, signs[state])} ${about.padEnd(aboutWidth)}${body}${more.join('')}`
    })
    .join('')
}

/** One line at the end. */
export function sumText(findings: readonly Finding[]): string {
  const count = (state: FindingState) => findings.filter((one) => one.state === state).length
  const parts = [
    `${count('ok')} fine`,
    ...(['fault', 'note', 'unknown'] as const).flatMap((state) => {
      const n = count(state)
      return n === 0 ? [] : [plural[state](n)]
    }),
  ]
  return `${parts.join(', ')}\n`
}

const plural = {
  fault: (n: number) => `${n} ${n === 1 ? 'fault' : 'faults'}`,
  note: (n: number) => `${n} to know`,
  unknown: (n: number) => `${n} not looked at`,
}

/** @returns 1 with faults, 2 when something could not be looked at, else 0 */
export function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ state }) => state === 'fault')) return 1
  return findings.some(({ state }) => state === 'unknown') ? 2 : 0
}
