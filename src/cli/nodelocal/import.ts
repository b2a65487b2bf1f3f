/**
 * `neardns import COREFILE`: prints the YAML that serves what a Corefile of NodeLocal DNSCache does, with what differs on purpose as
 * comments. Prints nothing but problems when something cannot be taken over: half a configuration would answer wrongly.
 */
import { parseIpAddress } from '../../address/ip-address.ts'
import type { Problem } from '../../config/problem.ts'
import { formatYaml } from '../../config/yaml.ts'
import { ReadCorefileFiles } from '../../daemon/corefile-files.ts'
import { bypassed } from '../../nodelocal/bypassed.ts'
import { readArguments } from '../command-line/arguments.ts'
import type { Flag } from '../command-line/flags.ts'
import { filesOfConfigMap, inManifest } from '../config-map.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { readInput, readText } from '../read-config.ts'
import { reportProblems } from '../validate.ts'
import {
  type CorefileConfig,
  type CorefileValues,
  isCorefile,
  isTemplate,
  readCorefileConfig,
} from './corefile-config.ts'

export async function importCorefile(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('import', argv)
  if (!read.ok) return usageError(io, read.why)
  const [path = ''] = read.words
  const values = valuesOf(read.flags)
  const wrong = addressMistake(values)
  if (wrong !== undefined) return usageError(io, wrong)
  const file = path === '-' ? await readInput() : await readText(path)
  if (!file.ok) return reportProblems(io, [file.problem])
  const source = sourceIn(path, file.text)
  if ('message' in source) return reportProblems(io, [source])
  if (
    isTemplate(source.text) &&
    (values.localIps === undefined || values.clusterDns === undefined)
  ) {
    const why = `${path} is a template of node-cache; say what its -localip is and which address the Service of its -upstreamsvc has: --localip IP[,IP]... --clusterdns IP`
    return usageError(io, why)
  }
  const result = await readCorefileConfig(source.name, source.text, values)
  const noted = result.notes.map(source.toManifest)
  if (!result.ok) {
    const toManifest = (one: Problem) => ({ ...one, where: source.toManifest(one.where) })
    reportProblems(io, result.problems.map(toManifest))
    for (const note of noted) io.stderr(`note: ${note}\n`)
    return ExitCode.usage
  }
  const coredns = read.flag('--coredns')
  const passed = coredns === undefined ? [] : await passedBy(coredns, result)
  if ('problem' in passed) return reportProblems(io, [passed.problem])
  const { settings, notes } = { ...result, notes: [...noted, ...passed] }
  io.stdout(
    read.has('--json')
      ? `${JSON.stringify({ settings, notes }, undefined, 2)}\n`
      : yamlOf(path, { settings, notes }),
  )
  return ExitCode.ok
}

/** What the Corefile of CoreDNS says about names that CoreDNS is not asked about. */
async function passedBy(
  path: string,
  { config }: CorefileConfig,
): Promise<readonly string[] | { readonly problem: Problem }> {
  const file = await readText(path)
  if (!file.ok) return file
  const source = sourceIn(path, file.text)
  if ('message' in source) return { problem: source }
  const remarks = bypassed(source.text, config, new ReadCorefileFiles(path))
  return remarks.map(({ line, message }) => `${source.at(line)}: ${message}`)
}

interface Source {
  /** For messages. */
  readonly name: string
  readonly text: string
  /** Gives a message that begins with the name its place in the file. */
  readonly toManifest: (message: string) => string
  /** The place of a line of the text. */
  readonly at: (line: number) => string
}

/** A file is a Corefile, or the manifest of a ConfigMap that holds one. */
function sourceIn(path: string, text: string): Source | Problem {
  const files = filesOfConfigMap(text)
  if (files === undefined) {
    return { name: path, text, toManifest: (message) => message, at: (line) => `${path}:${line}` }
  }
  const corefiles = files.filter((one) => isCorefile(one.text))
  const file = corefiles.find(({ key }) => key === 'Corefile') ?? corefiles[0]
  if (file === undefined) {
    const keys = files.map(({ key }) => key).join(', ') || 'empty'
    return { where: path, path: '', message: `a ConfigMap without a Corefile (data: ${keys})` }
  }
  const name = `${path}[${file.key}]`
  const { offset } = file
  return {
    name,
    text: file.text,
    toManifest: (message) => inManifest(message, name, { name: path, file }),
    at: (line) => (offset === undefined ? `${name}:${line}` : `${path}:${line + offset.lines}`),
  }
}

function valuesOf(flags: readonly Flag[]): CorefileValues {
  const given = (name: string) => flags.find((flag) => flag.name === name)?.value
  const port = given('--port')
  return {
    port: port === undefined ? undefined : Number(port),
    localIps: given('--localip')?.split(','),
    clusterDns: given('--clusterdns'),
  }
}

/** They may be for nothing, when the file is no template; they are not for nothing wrong. */
function addressMistake({ localIps = [], clusterDns }: CorefileValues): string | undefined {
  const wrongIp = localIps.find((one) => parseIpAddress(one) === undefined)
  if (wrongIp !== undefined)
    return `--localip takes IP addresses with a comma between two, got ${JSON.stringify(wrongIp)}`
  return clusterDns === undefined || parseIpAddress(clusterDns) !== undefined
    ? undefined
    : `--clusterdns takes an IP address, got ${JSON.stringify(clusterDns)}`
}

function yamlOf(
  path: string,
  { settings, notes }: Pick<CorefileConfig, 'settings' | 'notes'>,
): string {
  const head = [
    `From ${path}. What every Corefile gets otherwise than from node-cache: docs/nodelocal-differences.md.`,
    ...(notes.length > 0 ? ['What differs here:'] : []),
    ...notes.map((note) => `  ${note}`),
  ]
  const comments = head.map((line) => `# ${line}\n`).join('')
  return `${comments}${formatYaml(settings)}`
}
