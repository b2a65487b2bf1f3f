/** A Corefile of NodeLocal DNSCache as a checked configuration, with what it names read from beside it. For `import` and `validate`. */
import { networkInterfaces } from 'node:os'
import type { Problem } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import { loadPatternEngine } from '../../local/pattern/engine.ts'
import type { CompilePattern } from '../../local/pattern/pattern.ts'
import { directiveNames } from '../../nodelocal/blocks.ts'
import { noKubeDns } from '../../nodelocal/kube-dns.ts'
import type { PlainSection } from '../../nodelocal/mapping/plain.ts'
import { renderCorefile } from '../../nodelocal/render.ts'
import { translate } from '../../nodelocal/translate.ts'
import { checkConfig } from '../read-config.ts'

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

/** What node-cache's flags and environment would say. */
export interface CorefileValues {
  /** `-dns.port`; 53 when absent. */
  readonly port?: number | undefined
  /** `-localip`: for `__PILLAR__LOCAL__DNS__`. */
  readonly localIps?: readonly string[] | undefined
  /** Address of the Service of `-upstreamsvc`: for `__PILLAR__CLUSTER__DNS__`. */
  readonly clusterDns?: string | undefined
}

/** In the place of pillars whose values nobody gave, so that the rest can be judged (RFC 5737). */
const standIns = { localIps: ['192.0.2.1'], clusterDns: '192.0.2.2' }

/** Whether a text is a template, which node-cache renders before CoreDNS reads it. */
export function isTemplate(text: string): boolean {
  return /__PILLAR__(?!DNS__DOMAIN__)|__PROMETHEUS__/.test(text)
}

/** @param file its path, beside which imports are looked for */
export async function readCorefileConfig(
  file: string,
  text: string,
  values: CorefileValues = {},
): Promise<CorefileConfigResult> {
  const { port, clusterDns } = values
  const engine = await patternEngineFor(text)
  const translated = translate(rendered(text, values), {
    file,
    ...engine,
    ...(clusterDns !== undefined && { clusterDns }),
    environment: (name) => process.env[name],
    // A pattern for files that an operator may or may not mount: node-cache starts without the directory.
    files: new ReadCorefileFiles(file, true),
    addressesOf: (link) => networkInterfaces()[link]?.map(({ address }) => address),
    ...(port !== undefined && { port }),
  })
  const { settings } = translated
  const notes = [
    ...standInNotes(text, values),
    ...translated.notes.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`),
  ]
  if (settings === undefined) {
    const problems = translated.problems.map(({ file: name, line, column, message, cure }) => ({
      where: `${name}:${line}:${column}`,
      path: '',
      message: cure === '' ? message : `${message}; ${cure}`,
    }))
    return { ok: false, problems, notes }
  }
  const loaded = await checkConfig({ settings: { name: file, value: settings } })
  if (loaded.ok) return { ok: true, settings, config: loaded.config, notes }
  return { ok: false, problems: loaded.problems, notes }
}

/** The engine of regular expressions, where a Corefile may have one: it takes memory and time. */
export async function patternEngineFor(
  corefile: string,
): Promise<{ readonly compilePattern?: CompilePattern }> {
  const mayHave = /template|consolidate|rewrite|import/.test(corefile)
  return mayHave ? { compilePattern: await loadPatternEngine() } : {}
}

function rendered(text: string, { localIps, clusterDns, port = 53 }: CorefileValues): string {
  if (!isTemplate(text)) return text
  const template = renderCorefile(text, {
    localIps: localIps ?? standIns.localIps,
    areOnNode: true,
    port,
    clusterDns: clusterDns ?? standIns.clusterDns,
    prometheusListen: ':9253',
    kubeDns: noKubeDns,
  })
  return template ?? text
}

function standInNotes(text: string, { localIps, clusterDns }: CorefileValues): string[] {
  if (!isTemplate(text) || (localIps !== undefined && clusterDns !== undefined)) return []
  const { localIps: local, clusterDns: cluster } = standIns
  return [
    `a template: judged with ${local.join()} for -localip and ${cluster} for the Service of -upstreamsvc`,
  ]
}

/**
 * Whether a text is meant as a Corefile: a YAML file of ours begins with a key, a Corefile with labels, perhaps those of a variable. Without
 * braces, lines begin with directives.
 */
export function isCorefile(text: string): boolean {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim())
  const first = lines.find((line) => line !== '') ?? ''
  if (/^(?:---|%|\{(?![$%])|["']?\w+["']?\s*:(?:\s|$))/.test(first)) return false
  if (/:\d+$/.test(first) || /^(?:\.|\{[$%])/.test(first)) return true
  return lines.some((line) => line.endsWith('{') || beginsDirective(line))
}

function beginsDirective(line: string): boolean {
  const [word = ''] = line.split(/\s/)
  return word === 'import' || directiveNames.includes(word)
}
