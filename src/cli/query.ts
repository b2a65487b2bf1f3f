/** `neardns query NAME [TYPE]`: asks a server as a pod would, and prints the reply. */
import { randomInt } from 'node:crypto'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { dnsPort, parseScopedEndpoint } from '../config/address.ts'
import { headerBytes } from '../wire/constants.ts'
import { decodeMessage, encodeQuery } from '../wire/message.ts'
import { parseName } from '../wire/name.ts'
import { answerJson } from './answer-json.ts'
import { answerText } from './answer-text.ts'
import { askTcp, askUdp, type Reply } from './ask-server.ts'
import { readArguments } from './command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { parseRecordType } from './record-type.ts'
import { typedQuestion } from './reverse-name.ts'
import { bothForms, readTypedName, type TypedName } from './typed-name.ts'

export interface QueryTiming {
  /** Per attempt; UDP is tried twice. Below the 5 s of stub resolvers in all. */
  readonly timeoutMs: number
}

interface Request {
  readonly name: TypedName
  /** Type in the codec's spelling. */
  readonly type: string
  readonly server: Endpoint
  readonly isTcp: boolean
  readonly isJson: boolean
}

/** Exit code 0 for any reply, also for NXDOMAIN and SERVFAIL; 1 when there is none. */
export async function query(
  argv: readonly string[],
  io: CliIo,
  timing: QueryTiming = { timeoutMs: 2500 },
): Promise<number> {
  const request = parseRequest(argv)
  if (!request.ok) return usageError(io, request.why)
  const { name, type, server, isTcp, isJson } = request.value
  const bytes = encode(name.ascii, type)
  const begun = performance.now()
  const overUdp = isTcp ? undefined : await askTwice(bytes, server, timing)
  const isTruncated = overUdp?.ok === true && (overUdp.bytes.readUInt8(2) & 0x02) !== 0
  if (isTruncated && !isJson) io.stdout(';; truncated over UDP, asked again over TCP\n')
  const useTcp = overUdp === undefined || isTruncated
  const reply = useTcp ? await askTcp(bytes, server, timing.timeoutMs) : overUdp
  const tookMs = performance.now() - begun
  if (!reply.ok) return failure(io, reply.why)
  const decoded = decodeMessage(reply.bytes)
  if (!decoded.ok)
    return failure(io, `the reply of ${formatEndpoint(server)} is malformed: ${decoded.why}`)
  const transport = useTcp ? 'TCP' : 'UDP'
  if (isJson) {
    const from = { server: formatEndpoint(server), transport, tookMs, bytes: reply.bytes.length }
    io.stdout(`${JSON.stringify({ ...from, ...answerJson(decoded.message) }, undefined, 2)}\n`)
    return ExitCode.ok
  }
  io.stdout(answerText(decoded.message) + bothForms(name))
  io.stdout(
    `\n;; ${reply.bytes.length} bytes from ${formatEndpoint(server)} over ${transport} in ${tookMs.toFixed(1)} ms\n`,
  )
  return ExitCode.ok
}

/** The codec takes dots for separators and backslashes for letters, so a name with escapes is put in the place of the root. */
function encode(name: string, type: string): Buffer {
  const id = randomInt(65_536)
  const wire = name.includes('\\') ? parseName(name) : undefined
  if (wire === undefined) return encodeQuery({ name, type, id })
  const query = encodeQuery({ name: '.', type, id })
  const rest = query.subarray(headerBytes + 1)
  return Buffer.concat([query.subarray(0, headerBytes), wire, rest])
}

function failure(io: CliIo, why: string): number {
  io.stderr(`neardns: ${why}\n`)
  return ExitCode.failed
}

/** UDP loses datagrams: a second attempt before giving up, but not when the port is closed. */
async function askTwice(bytes: Buffer, server: Endpoint, timing: QueryTiming): Promise<Reply> {
  const first = await askUdp(bytes, server, timing.timeoutMs)
  if (first.ok || !first.why.startsWith('no reply')) return first
  return askUdp(bytes, server, timing.timeoutMs)
}

type ParsedRequest = { ok: true; value: Request } | { ok: false; why: string }

function parseRequest(argv: readonly string[]): ParsedRequest {
  const read = readArguments('query', argv)
  if (!read.ok) return read
  const [name = '', typeText] = read.words
  const at = read.flag('--server')
  const server = parseScopedEndpoint(at ?? '127.0.0.1:5353', dnsPort)
  if (!server.ok) return { ok: false, why: `--server ${at}: ${server.why}` }
  if (server.value.port === 0) return { ok: false, why: `--server ${at}: a server has no port 0` }
  const question = typedQuestion(name, typeText)
  const typed = readTypedName(question.name)
  if (!typed.ok) return typed
  const type = parseRecordType(question.type)
  if (!type.ok) return type
  const isTcp = read.has('--tcp')
  return {
    ok: true,
    value: {
      name: typed.value,
      type: type.codecName,
      server: server.value,
      isTcp,
      isJson: read.has('--json'),
    },
  }
}
