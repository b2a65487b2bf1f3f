/** What a case needs of a server: to be put before upstreams, and to be gone afterwards. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { howToGet, type Need, programPath } from '../../../support/needs.ts'
import { Child } from '../../../support/process.ts'
import type { ServerName } from '../case.ts'

export interface Route {
  /** `.` or a name without a dot at its end. */
  readonly zone: string
  /** In the order of preference. */
  readonly upstreams: readonly { readonly host: string; readonly port: number }[]
  readonly overTcp: boolean
  readonly isCluster: boolean
}

export interface Setup {
  /** Where it listens, UDP and TCP: 127.0.0.1, or 0.0.0.0 for all. */
  readonly host: string
  readonly port: number
  /** A file like resolv.conf, instead of the routes' upstreams. */
  readonly resolvConf: string | undefined
  readonly routes: readonly Route[]
  readonly serveStale: boolean
  /** For neardns alone. */
  readonly settings: Readonly<Record<string, unknown>>
  /** For files; goes away with the case. */
  readonly directory: string
}

export interface Server {
  readonly name: ServerName
  /** In words, with what is configured besides the upstreams. */
  readonly about: string
  /** @returns the command that brings it, or undefined when it is there */
  missing(): string | undefined
  /** @returns what it says its version is */
  version(): string
  /** @returns when it is serving */
  start(setup: Setup): Promise<Running>
}

export interface Running {
  stop(): Promise<unknown>
}

interface ProgramSpec extends Pick<Server, 'about'> {
  readonly name: ServerName & Need
  readonly path: () => string | undefined
  /** Flag, and where the version is in what it prints. */
  readonly version: readonly [flag: string, pattern: RegExp]
  configuration(setup: Setup): string
  arguments(file: string): readonly string[]
  /** Part of the line that it prints when it serves. */
  readonly readyLine: string
}

/** A server that is a program with one file of configuration. */
export function program(spec: ProgramSpec): Server {
  const { name, about, version } = spec
  const command = () => spec.path() ?? name
  return {
    ...{ name, about },
    missing: () => howToGet(name),
    version: () => versionFrom(command(), version[0], version[1]),
    start: async (setup) => {
      const file = join(setup.directory, `${name}.conf`)
      writeFileSync(file, spec.configuration(setup))
      const child = new Child(command(), spec.arguments(file))
      await child.line((line) => line.includes(spec.readyLine), 15_000)
      return { stop: () => child.stop('SIGKILL') }
    },
  }
}

/** As most programs write an address with its port. */
export function endpoint({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function pathOf(name: string): () => string | undefined {
  return () => programPath(name)
}

function versionFrom(command: string, flag: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8', timeout: 5000 })
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? ''
}
