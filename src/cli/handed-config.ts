/**
 * Hands a checked configuration to the same program started anew (platform/heap-flags.ts). Reading it takes the schema and YAML, 9 MB
 * and 100 ms that the daemon never needs again unless the file changes: so the first start reads and checks, the second serves.
 */
import type { Config } from '../config/schema.ts'

const variable = 'NEARDNS_CHECKED_CONFIG'
/** The kernel takes 128 KiB in one variable; a configuration beyond this is read again. */
const textBytesMax = 100_000

export interface HandedConfig {
  readonly config: Config
  /** The file's text just before it was read; empty without one. A hash of it would load `node:crypto` twice, 7 ms of the start. */
  readonly fileText: string
}

/** @returns variables for the environment of the next start, or of a child; none when the text would not fit */
export function environmentFor(handed: HandedConfig): Record<string, string> {
  const text = JSON.stringify({ pid: process.pid, ...handed })
  return Buffer.byteLength(text) > textBytesMax ? {} : { [variable]: text }
}

/** Whether this process was started anew by itself. */
export function hasHandedConfig(): boolean {
  return process.env[variable] !== undefined
}

/**
 * Takes the configuration out of the environment, because children must not see it.
 * @param writer the process that may have left it there
 * @returns undefined when there is none of that process
 */
export function takeHandedConfig(writer = process.pid): HandedConfig | undefined {
  const text = process.env[variable]
  delete process.env[variable]
  if (text === undefined) return undefined
  const { pid, config, fileText } = JSON.parse(text)
  // execve keeps the process ID. A text that another process left in the environment does not count.
  return pid === writer ? { config, fileText } : undefined
}
