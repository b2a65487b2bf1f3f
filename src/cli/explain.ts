/** `neardns explain NAME [TYPE]`: asks a running daemon what a question would get now, and on what evidence. */
import { type Endpoint, formatEndpoint, parseEndpoint } from '../config/address.ts'
import { readFlags } from './flags.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'

const adminDefault = '127.0.0.1:9253'
const timeoutMs = 3000
const usage = 'usage: neardns explain NAME [TYPE] [--admin IP:PORT]'

export async function explain(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readFlags(argv, { '--admin': { value: 'IP:PORT' } })
  if (!read.ok) return usageError(io, read.why)
  const [name, type = 'A', ...more] = read.words
  if (name === undefined || more.length > 0) return usageError(io, usage)
  const text = read.flags.find((flag) => flag.name === '--admin')?.value ?? adminDefault
  const admin = parseEndpoint(text)
  if (!admin.ok) return usageError(io, `--admin ${admin.why}`)
  return print(admin.value, `/explain/${encodeURIComponent(name)}/${encodeURIComponent(type)}`, io)
}

async function print(admin: Endpoint, path: string, io: CliIo): Promise<number> {
  const where = formatEndpoint(admin)
  try {
    const response = await fetch(`http://${where}${path}`, {
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = await response.text()
    if (response.status === 200) {
      io.stdout(body)
      return ExitCode.ok
    }
    io.stderr(`neardns: ${where}: ${body}`)
    return response.status === 400 ? ExitCode.usage : ExitCode.failed
  } catch {
    io.stderr(
      `neardns: no admin server at ${where}; start the daemon with --admin, and name it here\n`,
    )
    return ExitCode.failed
  }
}
