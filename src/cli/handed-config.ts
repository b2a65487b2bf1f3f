/**
 * A checked configuration on its way to the same program started anew (platform/heap-flags.ts). Reading it takes the schema and YAML, 9 MB
 * and 100 ms that the daemon never needs again unless the file changes: so the first start reads and checks, the second serves.
 */
import { createHash } from 'node:crypto'
import type { Config } from '../config/schema.ts'

const variable = 'NEARDNS_CHECKED_CONFIG'
/** The kernel takes 128 KiB in one variable; a configuration beyond this is read again. */
const textBytesMax = 100_000

export interface HandedConfig {
  readonly config: Config
  /** Of the file's text just before it was read, by `hashOf`. */
  readonly fileHash: string
}

/** @returns what to add to the environment of the next start; nothing when it would not fit */
export function environmentFor(handed: HandedConfig): Record<string, string> {
  const text = JSON.stringify({ pid: process.pid, ...handed })
  return Buffer.byteLength(text) > textBytesMax ? {} : { [variable]: text }
}

/** Takes it out of the environment: children must not see it. @returns undefined when there is none of this process */
export function takeHandedConfig(): HandedConfig | undefined {
  const text = process.env[variable]
  delete process.env[variable]
  if (text === undefined) return undefined
  const { pid, config, fileHash } = JSON.parse(text)
  // execve keeps the process ID. What another process left in the environment is nobody's checked configuration.
  return pid === process.pid ? { config, fileHash } : undefined
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
