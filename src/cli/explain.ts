/** `neardns explain NAME [TYPE]`: asks a running daemon how it would answer a question now, and on what evidence. */
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { parseListen } from '../config/address.ts'
import { readToken } from '../daemon/token-file.ts'
import { readArguments } from './command-line/arguments.ts'
import { adminDefault } from './command-line/definition.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { bothForms, readTypedName } from './typed-name.ts'

const timeoutMs = 3000

export async function explain(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('explain', argv)
  if (!read.ok) return usageError(io, read.why)
  const [name = '', type = 'A'] = read.words
  const text = read.flag('--admin') ?? adminDefault
  const admin = parseListen(text)
  if (!admin.ok) return usageError(io, `--admin ${admin.why}`)
  const headers = tokenHeaders(read.flag('--token-file'))
  if (headers === undefined) return usageError(io, '--token-file: cannot read it, or it is empty')
  const typed = readTypedName(name)
  if (!typed.ok) return usageError(io, typed.why)
  const path = `/explain/${encodeURIComponent(typed.value.ascii)}/${encodeURIComponent(type)}`
  return print(admin.value, { path, headers, end: bothForms(typed.value) }, io)
}

/** @returns undefined when there is no token to send */
function tokenHeaders(path: string | undefined): Record<string, string> | undefined {
  if (path === undefined) return {}
  const token = readToken(path)
  return token === undefined ? undefined : { authorization: `Bearer ${token}` }
}

interface PageRequest {
  readonly path: string
  readonly headers: Record<string, string>
  /** Printed behind the page. */
  readonly end: string
}

async function print(admin: Endpoint, request: PageRequest, io: CliIo): Promise<number> {
  const where = formatEndpoint(admin)
  try {
    const response = await fetch(`http://${where}${request.path}`, {
      headers: request.headers,
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = await response.text()
    if (response.status === 200) {
      io.stdout(body + request.end)
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
