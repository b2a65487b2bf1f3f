/** `neardns completion SHELL`: prints the script that makes a shell complete verbs, flags and known values. */
import { readArguments } from './command-line/arguments.ts'
import { bashCompletion } from './command-line/completion/bash.ts'
import { fishCompletion } from './command-line/completion/fish.ts'
import { zshCompletion } from './command-line/completion/zsh.ts'
import type { VerbDefinition } from './command-line/definition.ts'
import { verbs } from './command-line/verbs.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'

const scripts: Readonly<Record<string, (all: readonly VerbDefinition[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export async function completion(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('completion', argv)
  if (!read.ok) return usageError(io, read.why)
  const [shell = ''] = read.words
  io.stdout(scripts[shell]?.(verbs) ?? '')
  return ExitCode.ok
}
