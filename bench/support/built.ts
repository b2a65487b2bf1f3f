/** The daemon as the image has it: bundled, once for each run of a bench. */
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
  const script = join(repository, 'build.ts')
  await mustRun(process.execPath, [script], { cwd: repository, timeoutMs: 120_000 })
  return join(repository, 'dist', 'main.js')
}
