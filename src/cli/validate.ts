/**
 * `neardns validate FILE`: prints every mistake of a configuration at once, or a summary of it in a few lines. A Corefile of NodeLocal DNSCache
 * is taken as well, and judged by what it would become.
 */
import { formatEndpoint } from '../address/endpoint.ts'
import { formatUpstream, type Upstream } from '../address/upstream-url.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { clusterNames } from '../daemon/routing.ts'
import { readArguments } from './command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { isCorefile, readCorefileConfig } from './nodelocal/corefile-config.ts'
import { readForeignConfig, readText } from './read-config.ts'

export async function validate(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('validate', argv)
  if (!read.ok) return usageError(io, read.why)
  const [file = ''] = read.words
  const result = await judge(file)
  if (!result.ok) return reportProblems(io, result.problems)
  const notes = result.notes.map((note) => `note: ${note}\n`).join('')
  io.stdout(`${file}: ok\n${summary(result.config)}${notes}`)
  return ExitCode.ok
}

type Judged =
  | { readonly ok: true; readonly config: Config; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

async function judge(file: string): Promise<Judged> {
  const read = await readText(file)
  if (read.ok && isCorefile(read.text)) return readCorefileConfig(file, read.text)
  const result = await readForeignConfig(file)
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
