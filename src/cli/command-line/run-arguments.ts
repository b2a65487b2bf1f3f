/** The arguments of `run`: the file, and what its flags set. The values are checked with the rest of the configuration. */
import type { Override } from '../../config/load.ts'
import { readArguments } from './arguments.ts'
import type { Flag } from './flags.ts'
import { settingFlags } from './serving-verbs.ts'

export interface RunArgs {
  readonly configFile?: string
  readonly overrides: readonly Override[]
}

export type ParsedRunArgs =
  | { readonly ok: true; readonly args: RunArgs }
  | { readonly ok: false; readonly why: string }

/** Parses what follows `run`. */
export function parseRunArgs(argv: readonly string[]): ParsedRunArgs {
  const read = readArguments('run', argv)
  return read.ok ? { ok: true, args: runArgsFrom(read.flags) } : read
}

/** @param flags `--config` and those that set one setting each; others are left out */
export function runArgsFrom(flags: readonly Flag[]): RunArgs {
  const config = flags.find((flag) => flag.name === '--config')
  const overrides = flags.flatMap(({ name, value }) => {
    const flag = Object.entries(settingFlags).find(([known]) => known === name)?.[1]
    if (flag === undefined) return []
    return [{ flag: name, path: flag.path, value, isListItem: flag.repeats === true }]
  })
  return { ...(config && { configFile: config.value }), overrides }
}
