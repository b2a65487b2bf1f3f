/** `neardns validate FILE`: prints every mistake of a configuration at once, or a summary of it in a few lines. */
import { formatEndpoint } from '../address/endpoint.ts'
import { formatUpstream, type Upstream } from '../address/upstream-url.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { clusterNames } from '../daemon/routing.ts'
import { readFlags } from './flags.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { readForeignConfig } from './read-config.ts'

export async function validate(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readFlags(argv, {})
  if (!read.ok) return usageError(io, read.why)
  const [file, ...more] = read.words
  if (file === undefined || more.length > 0) {
    return usageError(io, 'validate takes one file: neardns validate FILE')
  }
  const result = await readForeignConfig(file)
  if (!result.ok) return reportProblems(io, result.problems)
  io.stdout(`${file}: ok\n${summary(result.config)}`)
  return ExitCode.ok
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
      `${zone.name} -> ${addresses(zone.upstreams, '')}`,
    ]),
    ['external', addresses(external.upstreams, `name servers of ${external.resolvConf}`)],
    ['admin', config.admin.listen.map(formatEndpoint).join(', ') || 'off'],
    ['cache', `${config.cache.entriesMax} entries, ${config.cache.bytesMax} bytes`],
  ]
  return rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}\n`).join('')
}

function addresses(upstreams: readonly Upstream[], ifNone: string): string {
  return upstreams.length === 0 ? ifNone : upstreams.map(formatUpstream).join(', ')
}

/** What names of the cluster get while nobody can be asked about them. */
function withoutUpstreams({ cluster }: Config): string {
  if (cluster.withoutUpstreams === 'outside')
    return 'no upstreams: asked of the external ones, which learn these names'
  return `no upstreams: ${cluster.withoutUpstreams.toUpperCase()}, nobody is asked`
}
