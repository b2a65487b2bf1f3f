/**
 * `neardns import COREFILE`: prints the YAML that serves what a Corefile of NodeLocal DNSCache does, with what differs on purpose as
 * comments. Prints nothing but problems when something cannot be taken over: half a configuration would answer wrongly.
 */
import { formatYaml } from '../../config/yaml.ts'
import { readFlags } from '../flags.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { readText } from '../read-config.ts'
import { reportProblems } from '../validate.ts'
import { type CorefileConfig, readCorefileConfig } from './corefile-config.ts'

export async function importCorefile(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readFlags(argv, { '--port': { value: 'PORT' } })
  if (!read.ok) return usageError(io, read.why)
  const [path, ...more] = read.words
  if (path === undefined || more.length > 0) {
    return usageError(io, 'import takes one file: neardns import COREFILE [--port PORT]')
  }
  const port = portOf(read.flags[0]?.value)
  if (port === null) return usageError(io, '--port takes a number from 1 to 65535')
  const file = await readText(path)
  if (!file.ok) return reportProblems(io, [file.problem])
  const result = await readCorefileConfig(path, file.text, port)
  if (!result.ok) {
    reportProblems(io, result.problems)
    for (const note of result.notes) io.stderr(`note: ${note}\n`)
    return ExitCode.usage
  }
  io.stdout(yamlOf(path, result))
  return ExitCode.ok
}

/** @returns undefined without the flag, null for what is no port */
function portOf(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined
  const isPort = /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= 65_535
  return isPort ? Number(text) : null
}

function yamlOf(path: string, { settings, notes }: CorefileConfig): string {
  const head = [
    `From ${path}. What every Corefile gets otherwise than from node-cache: docs/nodelocal-differences.md.`,
    ...(notes.length > 0 ? ['What differs here:'] : []),
    ...notes.map((note) => `  ${note}`),
  ]
  const comments = head.map((line) => `# ${line}\n`).join('')
  return `${comments}${formatYaml(settings)}`
}
