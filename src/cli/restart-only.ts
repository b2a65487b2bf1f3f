/** Settings that are read at the start only. */
import type { SettingView } from '../config/in-force/origins.ts'
import type { Config } from '../config/schema.ts'

/** A change of these is logged and waits for the next start. */
const restartOnly = [
  'io',
  'sharePorts',
  'udp',
  'tcp',
  'interception',
  'kernelHits',
  'handover',
  'workers',
  'supervisor',
  'memory',
] as const
const restartOnlyPath = 'searchPath.corefile'

/** @returns settings that differ and wait */
export function changedRestartOnly(before: Config, config: Config): string[] {
  const changed: string[] = restartOnly.filter((key) => !isEqual(before[key], config[key]))
  return before.searchPath.corefile === config.searchPath.corefile
    ? changed
    : [...changed, restartOnlyPath]
}

/** @param started the value that is in force. @returns undefined for a setting that does not wait */
export function waitNote({ path, from }: SettingView, started: string): string | undefined {
  const isWaiting = [...restartOnly, restartOnlyPath].some(
    (key) => path === key || path.startsWith(`${key}.`),
  )
  return isWaiting ? `${from}; counts from the next start, until then ${started}` : undefined
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
