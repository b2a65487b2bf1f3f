/** What a verb may touch of the process, so that a test needs none. */
export interface CliIo {
  stdout(text: string): void
  stderr(text: string): void
}

/** Exit codes of all verbs. */
export const ExitCode = {
  ok: 0,
  /** The world did not play along: no answer, a taken port. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
} as const

/** Reports a misuse of the command line. @returns the exit code */
export function usageError(io: CliIo, why: string): number {
  io.stderr(`neardns: ${why}\n`)
  return ExitCode.usage
}
