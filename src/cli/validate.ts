/**
 * `neardns validate FILE`: prints every mistake of a configuration at once, or a summary of it in a few lines. A Corefile of NodeLocal DNSCache
 * is taken as well, and judged by what it would become. Both may come from standard input, and in a ConfigMap.
 */
import { formatEndpoint } from '../address/endpoint.ts'
import { formatUpstream, type Upstream } from '../address/upstream-url.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { clusterNames } from '../daemon/routing.ts'
import { readArguments } from './command-line/arguments.ts'
import { filesOfConfigMap, inManifest, type MappedFile } from './config-map.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { isCorefile, readCorefileConfig } from './nodelocal/corefile-config.ts'
import { checkForeignConfig, readInput, readText } from './read-config.ts'

export async function validate(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('validate', argv)
  if (!read.ok) return usageError(io, read.why)
  const [path = ''] = read.words
  const isJson = read.has('--json')
  const name = path === '-' ? 'standard input' : path
  const file = path === '-' ? await readInput() : await readText(path)
  if (!file.ok) return print(io, [{ name, ok: false, problems: [file.problem] }], isJson)
  const mapped = filesOfConfigMap(file.text)
  const verdicts =
    mapped === undefined
      ? [{ name, ...(await judge(name, file.text)) }]
      : await judgeMapped(name, mapped)
  return print(io, verdicts, isJson)
}

type Verdict = { readonly name: string } & Judged

function print(io: CliIo, verdicts: readonly Verdict[], isJson: boolean): number {
  const isRight = verdicts.every(({ ok }) => ok)
  if (isJson) {
    io.stdout(`${JSON.stringify(verdicts, undefined, 2)}\n`)
    return isRight ? ExitCode.ok : ExitCode.usage
  }
  for (const verdict of verdicts) {
    if (!verdict.ok) reportProblems(io, verdict.problems)
    else {
      const notes = verdict.notes.map((note) => `note: ${note}\n`).join('')
      io.stdout(`${verdict.name}: ok\n${summary(verdict.config)}${notes}`)
    }
  }
  return isRight ? ExitCode.ok : ExitCode.usage
}

/** Judges the configurations in a ConfigMap, and says what was looked at. */
async function judgeMapped(name: string, files: readonly MappedFile[]): Promise<Verdict[]> {
  const wanted = files.filter(({ key, text }) => isCorefile(text) || /\.(?:ya?ml|json)$/.test(key))
  const judged = wanted.length === 0 && files.length === 1 ? files : wanted
  if (judged.length === 0) {
    const keys = files.map(({ key }) => key).join(', ')
    const message = `a ConfigMap without a configuration (data: ${keys || 'empty'}); expected a key such as neardns.yaml or Corefile`
    return [{ name, ok: false, problems: [{ where: name, path: '', message }] }]
  }
  return await Promise.all(
    judged.map(async (file) => {
      const place = `${name}[${file.key}]`
      const result = await judge(place, file.text)
      const toManifest = (text: string) => inManifest(text, place, { name, file })
      return {
        name: `${name}: a ConfigMap; data[${JSON.stringify(file.key)}]`,
        ...(result.ok
          ? { ...result, notes: result.notes.map(toManifest) }
          : {
              ...result,
              problems: result.problems.map((one) => ({ ...one, where: toManifest(one.where) })),
            }),
      }
    }),
  )
}

type Judged =
  | { readonly ok: true; readonly config: Config; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

async function judge(file: string, text: string): Promise<Judged> {
  if (isCorefile(text)) return readCorefileConfig(file, text)
  const result = await checkForeignConfig(file, text)
  return result.ok ? { ...result, notes: [] } : result
}

/** Prints one line per problem. @returns the exit code */
export function reportProblems(io: CliIo, problems: readonly Problem[]): number {
  for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`)
  return ExitCode.usage
}

function summary(config: Config): string {
  const { cluster, external } = config
  const rows: [string, string][] = [
    ['listen', config.listen.map(formatEndpoint).join(', ')],
    [
      'cluster',
      `${clusterNames(config).join(', ')} -> ${addresses(cluster.upstreams, withoutUpstreams(config))}`,
    ],
    ...config.zones.map((zone): [string, string] => [
      'zone',
      `${zone.name} -> ${addresses(zone.upstreams, `${zone.withoutUpstreams.toUpperCase()}, nobody is asked`)}`,
    ]),
    ['external', addresses(external.upstreams, withoutExternal(config))],
    ['admin', config.admin.listen.map(formatEndpoint).join(', ') || 'off'],
    ['cache', `${config.cache.entriesMax} entries, ${config.cache.bytesMax} bytes`],
  ]
  return rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}\n`).join('')
}

function addresses(upstreams: readonly Upstream[], ifNone: string): string {
  return upstreams.length === 0 ? ifNone : upstreams.map(formatUpstream).join(', ')
}

function withoutExternal({ external }: Config): string {
  const { resolvConf, withoutUpstreams } = external
  if (withoutUpstreams === 'resolvConf') return `name servers of ${resolvConf}`
  return `no upstreams: ${withoutUpstreams.toUpperCase()}, nobody is asked`
}

/** What names of the cluster get while nobody can be asked about them. */
function withoutUpstreams({ cluster }: Config): string {
  if (cluster.withoutUpstreams === 'outside')
    return 'no upstreams: asked of the external ones, which learn these names'
  return `no upstreams: ${cluster.withoutUpstreams.toUpperCase()}, nobody is asked`
}
