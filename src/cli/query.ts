/** `neardns query NAME [TYPE]`: asks a server as a pod would, and prints the reply. */
import { randomInt } from 'node:crypto'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { dnsPort, parseAddress, parseEndpoint } from '../config/address.ts'
import { decodeMessage, encodeQuery } from '../wire/message.ts'
import { answerText } from './answer-text.ts'
import { askTcp, askUdp, type Reply } from './ask-server.ts'
import { readFlags } from './flags.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'
import { parseRecordType } from './record-type.ts'
import { reverseName } from './reverse-name.ts'

export interface QueryTiming {
  /** Per attempt; UDP is tried twice. Below the 5 s of stub resolvers in all. */
  readonly timeoutMs: number
}

interface Request {
  readonly name: string
  /** Type in the codec's spelling. */
  readonly type: string
  readonly server: Endpoint
  readonly isTcp: boolean
}

/** Exit code 0 for any reply, also for NXDOMAIN and SERVFAIL; 1 when there is none. */
export async function query(
  argv: readonly string[],
  io: CliIo,
  timing: QueryTiming = { timeoutMs: 2500 },
): Promise<number> {
  const request = parseRequest(argv)
  if (!request.ok) return usageError(io, request.why)
  const { name, type, server, isTcp } = request.value
  const bytes = encodeQuery({ name, type, id: randomInt(65_536) })
  const begun = performance.now()
  const overUdp = isTcp ? undefined : await askTwice(bytes, server, timing)
  const isTruncated = overUdp?.ok === true && (overUdp.bytes.readUInt8(2) & 0x02) !== 0
  if (isTruncated) io.stdout(';; truncated over UDP, asked again over TCP\n')
  const useTcp = overUdp === undefined || isTruncated
  const reply = useTcp ? await askTcp(bytes, server, timing.timeoutMs) : overUdp
  const tookMs = performance.now() - begun
  if (!reply.ok) return failure(io, reply.why)
  const decoded = decodeMessage(reply.bytes)
  if (!decoded.ok)
    return failure(io, `the reply of ${formatEndpoint(server)} is malformed: ${decoded.why}`)
  io.stdout(answerText(decoded.message))
  const transport = useTcp ? 'TCP' : 'UDP'
  io.stdout(
    `\n;; ${reply.bytes.length} bytes from ${formatEndpoint(server)} over ${transport} in ${tookMs.toFixed(1)} ms\n`,
  )
  return ExitCode.ok
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
  const read = readFlags(argv, { '--server': { value: 'IP:PORT' }, '--tcp': {} })
  if (!read.ok) return read
  const [name, typeText, ...more] = read.words
  if (name === undefined || more.length > 0) {
    return { ok: false, why: 'query takes a name and a type: neardns query NAME [TYPE]' }
  }
  const at = read.flags.find((flag) => flag.name === '--server')?.value
  const server = parseEndpoint(at ?? '127.0.0.1:5353', dnsPort)
  if (!server.ok) return { ok: false, why: `--server ${at}: ${server.why}` }
  if (server.value.port === 0) return { ok: false, why: `--server ${at}: a server has no port 0` }
  const address = parseAddress(name)
  const question =
    address.ok && typeText === undefined
      ? { name: reverseName(address.value), type: 'PTR' }
      : { name, type: typeText ?? 'A' }
  const why = nameMistake(question.name)
  if (why !== undefined) return { ok: false, why }
  const type = parseRecordType(question.type)
  if (!type.ok) return type
  const isTcp = read.flags.some((flag) => flag.name === '--tcp')
  return {
    ok: true,
    value: { name: question.name, type: type.codecName, server: server.value, isTcp },
  }
}

/** RFC 1035 2.3.4. A label may hold any byte, so only lengths are checked. */
function nameMistake(name: string): string | undefined {
  const text = name.replace(/\.$/, '')
  if (text === '') return name === '.' ? undefined : 'the name is empty; the root is written "."'
  if (Buffer.byteLength(text) > 253) return 'the name has more than 253 bytes'
  const labels = text.split('.')
  if (labels.includes('')) return `${JSON.stringify(name)} has an empty label`
  const long = labels.find((label) => Buffer.byteLength(label) > 63)
  return long === undefined ? undefined : `the label ${JSON.stringify(long)} has more than 63 bytes`
}
