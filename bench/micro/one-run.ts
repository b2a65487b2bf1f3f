/**
 * Measures the micro benches once in this process: `node --expose-gc ... one-run.ts [--short] [word]` prints one line of JSON. In the tree
 * of another revision this file and the benches beside it are the new ones; where one does not fit those sources, the revision's own bench
 * of that name is taken from `bench-base`.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type MicroBench,
  type MicroCase,
  type MicroResult,
  measure,
  shortEffort,
  sinkValue,
  wholeEffort,
} from './measure.ts'

export interface OneRun {
  readonly results: readonly MicroResult[]
  /** Benches that do not run against these sources. */
  readonly failed: readonly string[]
  readonly sink: number
}

export async function oneRun(word: string, isShort: boolean): Promise<OneRun> {
  const results: MicroResult[] = []
  const failed: string[] = []
  const files = (await readdir(import.meta.dirname)).filter(
    (file) => file.endsWith('.bench.ts') && file.includes(word),
  )
  for (const file of files.toSorted()) {
    const cases = await casesOf(file).catch((error: unknown) => {
      failed.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
      return []
    })
    for (const one of cases) {
      try {
        results.push(measure(one, isShort ? shortEffort : wholeEffort))
      } catch (error) {
        failed.push(`${one.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return { results, failed, sink: sinkValue() }
}

async function casesOf(file: string): Promise<readonly MicroCase[]> {
  try {
    return await load(join(import.meta.dirname, file))
  } catch (error) {
    const own = join(import.meta.dirname, '..', '..', 'bench-base', 'micro', file)
    if (!existsSync(own)) throw error
    return await load(own)
  }
}

async function load(path: string): Promise<readonly MicroCase[]> {
  const { bench }: { bench: MicroBench } = await import(path)
  return await bench()
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const word = args.find((argument) => !argument.startsWith('--')) ?? ''
  process.stdout.write(`${JSON.stringify(await oneRun(word, args.includes('--short')))}\n`)
}
