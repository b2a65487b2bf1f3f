/** What a stage that answers by rules of the operator has come to, counted for its metric. */
import { type Family, family } from '../observe/families/family.ts'

const results = ['answer', 'denial', 'failure'] as const

/** Records, none of the type or no such name, or SERVFAIL. */
export type LocalResult = (typeof results)[number]

export type ResultCounts = Record<LocalResult, number>

export function noResults(): ResultCounts {
  return { answer: 0, denial: 0, failure: 0 }
}

export function resultFamily(name: string, help: string, counts: Readonly<ResultCounts>): Family {
  return family('counter', [name, help], ['result'], () =>
    results.map((result) => ({ labels: { result }, value: counts[result] })),
  )
}
