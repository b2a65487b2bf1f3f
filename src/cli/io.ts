/** The parts of the process that a verb may use, so that a test needs no process. */
export interface CliIo {
  /** Bytes of a file are written as they are. */
  stdout(text: string | Buffer): void
  stderr(text: string): void
}

/** Exit codes of all verbs. */
export const ExitCode = {
  ok: 0,
  /** Something outside failed: no answer, a port in use. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
} as const

/** Reports a misuse of the command line. @returns the exit code */
export function usageError(io: CliIo, why: string): number {
  io.stderr(`neardns: ${why}\n`)
  return ExitCode.usage
}
