/** Keeps results: one JSON file for each bench, day and commit, with everything that the figures depend on. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMachine, describeVersions, type Machine, type Versions } from './machine.ts'

/** What every result file has, whatever was measured. */
export interface Circumstances {
  readonly date: string
  readonly command: string
  readonly machine: Machine
  readonly versions: Versions
}

/** Call it before the bench puts load on the machine. */
export function describeCircumstances(script: string): Circumstances {
  return {
    date: new Date().toISOString(),
    command: [`npm run ${script} --`, ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    machine: describeMachine(),
    versions: describeVersions(),
  }
}

/** @returns where the file is, from the root of the repository */
export function writeResult(kind: string, result: Circumstances): string {
  const { commit, isModified } = result.versions
  const directory = join(import.meta.dirname, '..', 'results')
  mkdirSync(directory, { recursive: true })
  const parts = [result.date.slice(0, 10), commit, ...(isModified ? ['modified'] : []), kind]
  const name = `${parts.filter((part) => part !== '').join('-')}.json`
  writeFileSync(join(directory, name), `${JSON.stringify(result, undefined, 1)}\n`)
  return `bench/results/${name}`
}
