/** Asks one server several times over one transport, and measures. For `doctor`; the daemon asks by other code. */
import { randomInt } from 'node:crypto'
import type { Endpoint } from '../../address/endpoint.ts'
import { withZoneName } from '../../platform/zone-name.ts'
import { decodeMessage, encodeQuery } from '../../wire/message.ts'
import { rcodeOf } from '../answer-text.ts'
import { askTcp, askUdp } from '../ask-server.ts'

export interface ProbeQuestion {
  readonly name: string
  /** In the codec's spelling. */
  readonly type: string
}

export interface ProbeResult {
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly asked: number
  /** Round trips of those that were answered, in order of size, milliseconds; of TLS handshakes. */
  readonly tookMs: readonly number[]
  /** Of the answers, each once. */
  readonly rcodes: readonly string[]
  /** Why some were not answered, each reason once. */
  readonly failures: readonly string[]
}

/** Half of what a stub resolver waits: a machine with much else to do is no lost packet. */
const timeoutMs = 2500

export async function probe(
  server: Endpoint,
  transport: 'udp' | 'tcp',
  { question, times }: { readonly question: ProbeQuestion; readonly times: number },
): Promise<ProbeResult> {
  const answers = await Promise.all(
    Array.from({ length: times }, async () => {
      const query = encodeQuery({ ...question, id: randomInt(65_536) })
      const begun = performance.now()
      const ask = transport === 'udp' ? askUdp : askTcp
      const reply = await ask(query, server, timeoutMs)
      return { reply, tookMs: performance.now() - begun }
    }),
  )
  const answered = answers.filter(({ reply }) => reply.ok)
  return {
    transport,
    asked: times,
    tookMs: answered.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b),
    rcodes: unique(answers.flatMap(({ reply }) => (reply.ok ? [rcodeIn(reply.bytes)] : []))),
    failures: unique(answers.flatMap(({ reply }) => (reply.ok ? [] : [shorten(reply.why)]))),
  }
}

/** One TLS handshake: the certificate is judged as the daemon judges it. */
export async function probeTls(
  server: Endpoint,
  tlsName: string | undefined,
): Promise<ProbeResult> {
  const { connect } = await import('node:tls')
  const begun = performance.now()
  const host = withZoneName(server.address)
  return await new Promise((resolve) => {
    const socket = connect({
      host,
      port: server.port,
      ...(tlsName !== undefined && { servername: tlsName }),
    })
    const settle = (failure: string | undefined) => {
      socket.destroy()
      const tookMs = failure === undefined ? [performance.now() - begun] : []
      const failures = failure === undefined ? [] : [failure]
      resolve({ transport: 'tls', asked: 1, tookMs, rcodes: [], failures })
    }
    socket.setTimeout(timeoutMs, () => settle(`no TLS handshake within ${timeoutMs} ms`))
    socket.once('secureConnect', () => settle(undefined))
    socket.once('error', (error) => settle(error.message))
  })
}

function rcodeIn(bytes: Buffer): string {
  const decoded = decodeMessage(bytes)
  return decoded.ok ? rcodeOf(decoded.message) : 'malformed'
}

/** What a person reads about an upstream, and not how to start neardns. */
function shorten(why: string): string {
  if (why.startsWith('nobody listens')) return 'connection refused'
  if (why.startsWith('no reply')) return `no reply within ${timeoutMs} ms`
  return why.replace(/^cannot ask \S+ over \S+: /, '')
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
