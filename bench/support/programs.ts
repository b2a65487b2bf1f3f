/**
 * The benches' C programs: compiled with gcc when they are first needed, kept by the hash of their sources. Each prints what the
 * comment at its top says.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../../test/support/needs.ts'
import { type Child, mustRun } from '../../test/support/process.ts'
import { startWrapped, type Wrapper } from './servers.ts'

export type ProgramName = 'authority' | 'echo' | 'gaps' | 'load' | 'pod'

const sources = join(import.meta.dirname, '..', 'programs')

/** @returns path of the program */
export async function buildProgram(name: ProgramName): Promise<string> {
  const hash = createHash('sha256')
  for (const file of readdirSync(sources).toSorted()) hash.update(readFileSync(join(sources, file)))
  const directory = join(cacheDirectory(), 'programs')
  const target = join(directory, `bench-${name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(target)) return target
  mkdirSync(directory, { recursive: true })
  // Built aside and moved: two runs at once must not see half a program.
  const aside = `${target}.${process.pid}`
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror']
  await mustRun('gcc', [...flags, '-o', aside, join(sources, `${name}.c`)], { timeoutMs: 60_000 })
  renameSync(aside, target)
  return target
}

/** Starts one that runs until it is told to end, and waits until it is ready. */
export async function startProgram(
  name: Exclude<ProgramName, 'load' | 'pod'>,
  args: readonly string[],
  wrapper: Wrapper,
): Promise<Child> {
  const child = startWrapped(wrapper, await buildProgram(name), args)
  await child.line((line) => line === 'ready', 5000)
  return child
}
