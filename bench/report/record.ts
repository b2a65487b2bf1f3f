/** Keeps results: one JSON file for each kind of bench, with everything that the figures depend on. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeMachine,
  describeVersions,
  type Machine,
  type Versions,
} from '../support/machine.ts'

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

/**
 * Keeps a result and its plots under the name of its kind: what it replaces is in the history of the repository.
 * @param plots SVG text by the end of the file name
 * @returns where the files are, from the root of the repository
 */
export function writeResult(
  kind: string,
  result: Circumstances,
  plots: Readonly<Record<string, string>> = {},
): string[] {
  const directory = join(import.meta.dirname, '..', 'results')
  mkdirSync(directory, { recursive: true })
  const texts = Object.entries(plots).map(([name, svg]) => [`${kind}-${name}.svg`, svg] as const)
  const json = `${JSON.stringify(result, undefined, 1)}\n`
  const files = [[`${kind}.json`, json] as const, ...texts]
  for (const [name, text] of files) writeFileSync(join(directory, name), text)
  return files.map(([name]) => `bench/results/${name}`)
}

/** Ends this process, and with it everything that it started, when it is told to. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(1))
  }
}
