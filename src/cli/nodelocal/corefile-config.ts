/** A Corefile of NodeLocal DNSCache as a checked configuration, with what it names read from beside it. For `import` and `validate`. */
import { networkInterfaces } from 'node:os'
import type { Problem } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import type { PlainSection } from '../../nodelocal/mapping/plain.ts'
import { translate } from '../../nodelocal/translate.ts'
import { importWithoutLocales } from '../lean-import.ts'

export interface CorefileConfig {
  readonly settings: PlainSection
  readonly config: Config
  /** Lines `file:line:column: message` about what differs on purpose. */
  readonly notes: readonly string[]
}

export type CorefileConfigResult =
  | ({ readonly ok: true } & CorefileConfig)
  | {
      readonly ok: false
      readonly problems: readonly Problem[]
      readonly notes: readonly string[]
    }

/** @param file its path, beside which imports are looked for */
export async function readCorefileConfig(
  file: string,
  text: string,
  port?: number,
): Promise<CorefileConfigResult> {
  const translated = translate(text, {
    file,
    environment: (name) => process.env[name],
    files: new ReadCorefileFiles(file),
    addressesOf: (link) => networkInterfaces()[link]?.map(({ address }) => address),
    ...(port !== undefined && { port }),
  })
  const { settings } = translated
  const notes = translated.notes.map(
    (one) => `${one.file}:${one.line}:${one.column}: ${one.message}`,
  )
  if (settings === undefined) {
    const problems = translated.problems.map(({ file: name, line, column, message, cure }) => ({
      where: `${name}:${line}:${column}`,
      path: '',
      message: cure === '' ? message : `${message}; ${cure}`,
    }))
    return { ok: false, problems, notes }
  }
  const { loadConfig } = await importWithoutLocales(() => import('../../config/load.ts'))
  const loaded = loadConfig({ file: { name: file, text: JSON.stringify(settings) } })
  if (loaded.ok) return { ok: true, settings, config: loaded.config, notes }
  // Line and column are those of a text that nobody has seen.
  const problems = loaded.problems.map((problem) => ({ ...problem, where: file }))
  return { ok: false, problems, notes }
}

/**
 * Whether a text is meant as a Corefile: a YAML file of ours begins with a key, a Corefile with labels.
 */
export function isCorefile(text: string): boolean {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim())
  const first = lines.find((line) => line !== '') ?? ''
  if (/^(?:---|%|\{|["']?\w+["']?\s*:(?:\s|$))/.test(first)) return false
  return lines.some((line) => line.endsWith('{')) || /:\d+$/.test(first) || first.startsWith('.')
}
