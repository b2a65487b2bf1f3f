/** Starts the programs that a bench is about, each behind a wrapper command where wanted: a cgroup, a CPU. */
import { join } from 'node:path'
import { Child, mustRun } from '../../test/support/process.ts'

export const repository = join(import.meta.dirname, '..', '..')

/** A command that ends in starting another one: `taskset -c 0`, `sh -c '...; exec "$@"' sh`. */
export type Wrapper = readonly string[]

export const unwrapped: Wrapper = []

export function onCpu(...cpus: readonly number[]): Wrapper {
  return ['taskset', '-c', cpus.join(',')]
}

/** The process is a member before it starts, so that all its memory is charged. */
export function inCgroup(procsFile: string): Wrapper {
  return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', procsFile]
}

export function startWrapped(wrapper: Wrapper, command: string, args: readonly string[]): Child {
  const [first = command, ...rest] = [...wrapper, command, ...args]
  return new Child(first, rest)
}

/** As in the image. @returns once it is ready; throws with its last words when it does not become so */
export async function startNeardns(args: readonly string[], wrapper: Wrapper): Promise<Child> {
  const child = startWrapped(wrapper, process.execPath, [await builtMain(), 'run', ...args])
  await child.line((line) => line.includes('"listening"') && line.includes('"ready"'), 15_000)
  return child
}

let building: Promise<string> | undefined

/** The daemon as the image has it: bundled, once for each run of a bench. @returns path of the main program */
export function builtMain(): Promise<string> {
  building ??= buildMain(repository)
  return building
}

/** @param tree a checkout with its packages */
export async function buildMain(tree: string): Promise<string> {
  const script = join(tree, 'build.ts')
  await mustRun(process.execPath, [script], { cwd: tree, timeoutMs: 120_000 })
  return join(tree, 'dist', 'main.js')
}
