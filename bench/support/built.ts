/** The daemon as the image has it: compiled, once for each run of a bench. */
import { join } from 'node:path'
import { mustRun } from '../../test/support/process.ts'
import { repository } from './servers.ts'

let building: Promise<string> | undefined

/** @returns path of the compiled main program */
export function builtMain(): Promise<string> {
  building ??= build()
  return building
}

async function build(): Promise<string> {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const project = join(repository, 'tsconfig.build.json')
  await mustRun(process.execPath, [tsc, '-p', project], { timeoutMs: 120_000 })
  return join(repository, 'dist', 'main.js')
}
