/** The node's programs for tests: what they print is written down by the test, what they were started with is noted. */
import type { Ran, RunProgram } from '../../src/host/run-program.ts'

export const said = (stdout: string): Ran => ({ ok: true, stdout, stderr: '', isMissing: false })
export const failed = (stderr: string): Ran => ({
  ok: false,
  stdout: '',
  stderr,
  isMissing: false,
})
export const missing: Ran = { ok: false, stdout: '', stderr: '', isMissing: true }

export interface ScriptedRun {
  readonly run: RunProgram
  /** Command lines, in their order. */
  readonly ran: string[]
  /** What was fed to each of them. */
  readonly fed: string[]
}

/** @param script what a command line that begins so gives; the first that fits counts, any other succeeds silently */
export function scriptedRun(script: Readonly<Record<string, Ran>> = {}): ScriptedRun {
  const ran: string[] = []
  const fed: string[] = []
  const run: RunProgram = async (program, args, stdin = '') => {
    const line = [program, ...args].join(' ')
    ran.push(line)
    fed.push(stdin)
    const key = Object.keys(script).find((prefix) => line.startsWith(prefix))
    return (key === undefined ? undefined : script[key]) ?? said('')
  }
  return { run, ran, fed }
}
