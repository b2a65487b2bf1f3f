/**
 * The working tree against another commit: both micro suites in fresh processes that alternate on one CPU, so that other work on the
 * machine disturbs both alike. Each tree runs its own cases on its own sources, so that a commit from before a move of files still runs;
 * this tree's `measure.ts` times both. Cases with equal names are compared: a case whose work changes gets a new name.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { olderTree } from '../support/older-tree.ts'
import { repository } from '../support/servers.ts'
import { geometricMean, median } from '../support/statistics.ts'
import type { OneRun } from './one-run.ts'

const run = promisify(execFile)

/** The young generation holds the garbage of a sample, so that V8 rarely collects in one. */
const nodeFlags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
const childTimeoutMs = 300_000
/** A change of a few lines in an unrelated file can move code about and make this difference. */
const toleratedShare = 0.03

export interface Comparison {
  readonly name: string
  readonly pairs: number
  readonly baseNs: number
  readonly branchNs: number
  readonly baseBytes: number
  readonly branchBytes: number
  /** Branch to base: below 1 is faster. */
  readonly ratio: number
  /** The 95 % confidence interval of the ratio. */
  readonly low: number
  readonly high: number
  readonly verdict: 'slower' | 'faster' | 'no difference shown'
}

export interface Compared {
  readonly baseCommit: string
  readonly comparisons: readonly Comparison[]
  /** Cases that only one side has, and files that do not run. */
  readonly notes: readonly string[]
}

export interface CompareOptions {
  readonly against: string
  readonly runs: number
  readonly word: string
  readonly progress: (text: string) => void
}

/** @throws an Error when the commit is not known or a side does not run at all */
export async function compare(options: CompareOptions): Promise<Compared> {
  const { against, runs, word, progress } = options
  const { commit: baseCommit, path: tree } = olderTree(against)
  const sides = { base: [] as OneRun[], branch: [] as OneRun[] }
  for (let pair = 1; pair <= runs; pair++) {
    const order = pair % 2 === 0 ? (['base', 'branch'] as const) : (['branch', 'base'] as const)
    for (const side of order) {
      const from = side === 'base' ? tree : repository
      sides[side].push(await measureTree(from, word, ['--short']))
    }
    progress(`pair ${pair} of ${runs}`)
  }
  return { baseCommit, ...summed(sides.base, sides.branch) }
}

/** One fresh process. @throws an Error with its last words when it fails */
export async function measureTree(
  tree: string,
  word: string,
  flags: readonly string[] = [],
): Promise<OneRun> {
  const pinned = availableParallelism() > 1 ? ['taskset', '-c', '1'] : []
  const script = join(import.meta.dirname, 'one-run.ts')
  const node = [process.execPath, ...nodeFlags, script, tree, word, ...flags]
  const [command = '', ...args] = [...pinned, ...node]
  const { stdout } = await run(command, args, { cwd: tree, timeout: childTimeoutMs })
  return JSON.parse(stdout) as OneRun
}

/** What the runs of both sides say. Pure. */
export function summed(
  base: readonly OneRun[],
  branch: readonly OneRun[],
): Omit<Compared, 'baseCommit'> {
  const names = [...new Set([...base, ...branch].flatMap(namesOf))]
  const both = names.filter((name) =>
    [base[0], branch[0]].every((run) => run && namesOf(run).includes(name)),
  )
  const notes = [
    ...(base[0]?.failed ?? []).map((why) => `base: ${why}`),
    ...(branch[0]?.failed ?? []).map((why) => `branch: ${why}`),
    ...names.filter((name) => !both.includes(name)).map((name) => `on one side only: ${name}`),
  ]
  return { comparisons: both.map((name) => comparison(name, base, branch)), notes }
}

function namesOf({ results }: OneRun): string[] {
  return results.map(({ name }) => name)
}

function comparison(name: string, base: readonly OneRun[], branch: readonly OneRun[]): Comparison {
  const of = (runs: readonly OneRun[]) =>
    runs.flatMap(({ results }) => results.filter((result) => result.name === name))
  const [before, after] = [of(base), of(branch)]
  const ratios = after.map(
    ({ quietNsPerOp }, pair) => quietNsPerOp / (before[pair]?.quietNsPerOp ?? Number.NaN),
  )
  const { mean: ratio, low, high } = geometricMean(ratios)
  return {
    name,
    pairs: ratios.length,
    baseNs: geometricMean(before.map(({ quietNsPerOp }) => quietNsPerOp)).mean,
    branchNs: geometricMean(after.map(({ quietNsPerOp }) => quietNsPerOp)).mean,
    baseBytes: median(before.map(({ bytesPerOp }) => bytesPerOp)),
    branchBytes: median(after.map(({ bytesPerOp }) => bytesPerOp)),
    ...{ ratio, low, high },
    verdict: verdictOn(low, high),
  }
}

function verdictOn(low: number, high: number): Comparison['verdict'] {
  if (low > 1 + toleratedShare) return 'slower'
  return high < 1 - toleratedShare ? 'faster' : 'no difference shown'
}
