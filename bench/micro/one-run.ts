/**
 * Measures the micro benches of a tree once, in this process: `one-run.ts TREE [word] [--short]` prints one line of JSON. TREE may be
 * another commit: its cases run on its sources, and are measured by this file. Never compares.
 */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type MicroBench, type MicroResult, measure } from './measure.ts'

export interface OneRun {
  readonly results: readonly MicroResult[]
  /** Files that do not run in this tree. */
  readonly failed: readonly string[]
}

/** `bench/search` held cases before they moved here. */
const files = 'bench/{micro,search}/*.bench.ts'

async function oneRun(tree: string, word: string, isShort: boolean): Promise<OneRun> {
  const results: MicroResult[] = []
  const failed: string[] = []
  const wanted = globSync(files, { cwd: tree }).filter((file) => file.includes(word))
  for (const file of wanted.toSorted()) {
    try {
      const { bench }: { bench: MicroBench } = await import(join(tree, file))
      for (const one of await bench()) results.push(await measure(one, isShort ? 'short' : 'whole'))
    } catch (error) {
      failed.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { results, failed }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false } },
})
const [tree = '.', word = ''] = positionals
process.stdout.write(`${JSON.stringify(await oneRun(tree, word, values.short))}\n`)
