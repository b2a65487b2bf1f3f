/**
 * Base against branch: the same benches against the sources of both, in fresh processes that alternate on one CPU, so that whatever else
 * the machine does meets both. The ratio of each pair counts, with a confidence interval over the pairs.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from '../report/table.ts'
import { geometricMean } from '../support/statistics.ts'
import type { OneRun } from './one-run.ts'

const repository = join(import.meta.dirname, '..', '..')
const nodeFlags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
const childTimeoutMs = 180_000
/** A difference that a change of a few lines in an unrelated file can make by moving code about. */
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
  /** What REV means today. */
  readonly baseCommit: string
  readonly comparisons: readonly Comparison[]
  /** Operations that only one side has, or that do not run there. */
  readonly notes: readonly string[]
}

export interface CompareOptions {
  readonly base: string
  readonly runs: number
  readonly word: string
  readonly progress: (text: string) => void
}

/** @throws an Error when the revision is not known or a side does not run at all */
export function compare({ base, runs, word, progress }: CompareOptions): Compared {
  const baseCommit = git('rev-parse', '--short=10', '--verify', `${base}^{commit}`)
  const directory = mkdtempSync(join(tmpdir(), 'neardns-micro-'))
  const tree = join(directory, 'base')
  const clean = () => {
    if (existsSync(tree)) git('worktree', 'remove', '--force', tree)
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', clean)
  git('worktree', 'add', '--quiet', '--detach', tree, baseCommit)
  prepare(tree)
  const sides = { base: [] as OneRun[], branch: [] as OneRun[] }
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? (['base', 'branch'] as const) : (['branch', 'base'] as const)
    for (const side of order) sides[side].push(measureIn(side === 'base' ? tree : repository, word))
    progress(`pair ${run + 1} of ${runs}`)
  }
  process.removeListener('exit', clean)
  clean()
  return { baseCommit, ...summed(sides.base, sides.branch) }
}

/** The branch's benches go over the base's, which stay beside them for what has changed too much. */
function prepare(tree: string): void {
  symlinkSync(join(repository, 'node_modules'), join(tree, 'node_modules'))
  if (existsSync(join(tree, 'bench'))) renameSync(join(tree, 'bench'), join(tree, 'bench-base'))
  for (const folder of ['bench', 'test/support', 'test/fixtures']) {
    cpSync(join(repository, folder), join(tree, folder), { recursive: true })
  }
}

function measureIn(tree: string, word: string): OneRun {
  const script = join(tree, 'bench', 'micro', 'one-run.ts')
  const pinned = availableParallelism() > 1 ? ['taskset', '-c', '1'] : []
  const [command = '', ...args] = [
    ...pinned,
    process.execPath,
    ...nodeFlags,
    script,
    '--short',
    word,
  ]
  const { stdout, stderr, status } = spawnSync(command, args, {
    ...{ cwd: tree, encoding: 'utf8', timeout: childTimeoutMs },
  })
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr.slice(-500)}`)
  return JSON.parse(stdout) as OneRun
}

/** Pure: what the runs of both sides say. */
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
    baseBytes: before[0]?.bytesPerOp ?? Number.NaN,
    branchBytes: after[0]?.bytesPerOp ?? Number.NaN,
    ...{ ratio, low, high },
    verdict: verdictOn(low, high),
  }
}

function verdictOn(low: number, high: number): Comparison['verdict'] {
  if (low > 1 + toleratedShare) return 'slower'
  return high < 1 - toleratedShare ? 'faster' : 'no difference shown'
}

export const comparisonHead: Row = [
  'operation',
  'base ns',
  'branch ns',
  'ratio',
  '95 % from',
  'to',
  'base octets',
  'branch octets',
  'verdict',
]

export function comparisonRow(row: Comparison): Row {
  return [
    row.name,
    row.baseNs.toFixed(0),
    row.branchNs.toFixed(0),
    ...[row.ratio, row.low, row.high].map((ratio) => ratio.toFixed(3)),
    String(row.baseBytes),
    String(row.branchBytes),
    row.verdict,
  ]
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim()
}
