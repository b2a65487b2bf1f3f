/** Reads the configuration that the command line names. The only place that reads the file for `run` and `validate`. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { text as textOf } from 'node:stream/consumers'
import type { ConfigResult, ConfigSource } from '../config/load.ts'
import type { Problem } from '../config/problem.ts'
import { loadPatternEngine } from '../local/pattern/engine.ts'
import { patternsIn } from '../local/pattern/pattern.ts'
import type { RunArgs } from './command-line/run-arguments.ts'
import { importWithoutLocales } from './lean-import.ts'

/** Reads and checks everything; problems are complete and in the order of the file. Also used for a reload. */
export async function readConfig({ configFile, overrides }: RunArgs): Promise<ConfigResult> {
  const source: ConfigSource = { overrides, localAddresses: localAddresses(), hasOrigins: true }
  if (configFile === undefined) return checkConfig(source)
  const file = await readText(configFile)
  if (!file.ok) return { ok: false, problems: [file.problem] }
  return checkConfig({ ...source, file: { name: configFile, text: file.text } })
}

/** The same for a text that may be meant for another host: addresses of this host do not count. */
export async function checkForeignConfig(name: string, text: string): Promise<ConfigResult> {
  return checkConfig({ overrides: [], localAddresses: [], file: { name, text } })
}

/** Checks a configuration wherever it comes from. Stages can be made of the result: an engine that they need is loaded. */
export async function checkConfig(source: ConfigSource): Promise<ConfigResult> {
  // Schema and YAML: 12 MB and 75 ms that help, query and mistyped flags do not need.
  const { loadConfig } = await importWithoutLocales(() => import('../config/load.ts'))
  const result = loadConfig(source)
  if (result.ok && patternsIn(result.config).length === 0) return result
  // Most configurations have no expression, and are right.
  return loadConfig({ ...source, compilePattern: await loadPatternEngine() })
}

type ReadText = { ok: true; text: string } | { ok: false; problem: Problem }

/** Reads standard input to its end. */
export async function readInput(): Promise<ReadText> {
  return { ok: true, text: await textOf(process.stdin) }
}

/** Reads a file that the command line names. */
export async function readText(path: string): Promise<ReadText> {
  try {
    return { ok: true, text: await readFile(path, 'utf8') }
  } catch (error) {
    return { ok: false, problem: { where: path, path: '', message: whyUnreadable(error) } }
  }
}

/** In words, where it is what people do wrong. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return `cannot be read: ${reasons[code] ?? code}`
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** @returns undefined when there is no such link */
export function addressesOfLink(link: string): string[] | undefined {
  return networkInterfaces()[link]?.map(({ address }) => address)
}

/** Addresses of this host's interfaces. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address))
}
