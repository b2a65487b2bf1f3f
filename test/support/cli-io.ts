/** The streams of a command line verb, kept in memory. */
import type { CliIo } from '../../src/cli/io.ts'

export interface CapturedIo extends CliIo {
  out(): string
  err(): string
}

export function captured(): CapturedIo {
  const out: string[] = []
  const err: string[] = []
  return {
    stdout: (text) => void out.push(text.toString()),
    stderr: (text) => void err.push(text),
    out: () => out.join(''),
    err: () => err.join(''),
  }
}
