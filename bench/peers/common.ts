/** What starting a peer has in common with starting another one. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Setup } from './contestant.ts'

/** @returns the file's path */
export function writeConfig(name: string, { directory, port }: Setup, text: string): string {
  const file = join(directory, `${name}-${port}.conf`)
  writeFileSync(file, text)
  return file
}

/** @returns the first group of `pattern` in what a command prints; empty when there is none */
export function versionFrom(command: string, flag: string, pattern: RegExp): string {
  // Directories of the superuser are often missing in PATH, and most name servers live there.
  const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
  const { stdout, stderr } = spawnSync(command, [flag], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
    timeout: 5000,
  })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? ''
}
