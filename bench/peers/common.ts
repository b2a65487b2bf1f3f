/** What starting a peer has in common with starting another one: a configuration file, one CPU, a version to be printed. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { howToGet, type Need } from '../../test/support/needs.ts'
import { onCpu, startWrapped } from '../support/servers.ts'
import type { Contestant, Setup } from './contestant.ts'

export interface PeerSpec extends Pick<Contestant, 'about' | 'forwardsOverTcp'> {
  readonly name: Need
  /** Command, flag, and where the version is in what it prints. */
  readonly version: readonly [command: string, flag: string, pattern: RegExp]
  /** Text of the configuration file. */
  configuration?(setup: Setup): Promise<string> | string
  arguments(setup: Setup, configurationFile: string): readonly string[]
}

export function peer(spec: PeerSpec): Contestant {
  const { name, about, forwardsOverTcp, version } = spec
  const [command, flag, pattern] = version
  return {
    ...{ name, about, forwardsOverTcp },
    missing: () => howToGet(name),
    version: () => versionFrom(command, flag, pattern),
    start: async (setup) => {
      const file = join(setup.directory, `${name}-${setup.port}.conf`)
      if (spec.configuration) writeFileSync(file, await spec.configuration(setup))
      // Pinned before it starts: the Go runtime counts its CPUs once.
      return startWrapped(onCpu(...setup.cpus), command, spec.arguments(setup, file))
    },
  }
}

/** @returns the first group of `pattern` in what a command prints; empty when there is none */
function versionFrom(command: string, flag: string, pattern: RegExp): string {
  // Directories of the superuser are often missing in PATH, and most name servers live there.
  const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
  const { stdout, stderr } = spawnSync(command, [flag], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
    timeout: 5000,
  })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? ''
}
