/** One request to a collector, with the HTTP client of Node. Follows no redirect, keeps no connection, takes no more of a reply than it needs. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import { judgeReply, type PostResult } from './retry.ts'

export interface PostTarget {
  readonly url: URL
  readonly timeoutMs: number
  readonly headersFile: string | null
  readonly caFile: string | null
  readonly version: string
  /** Name servers for the collector's name, as `ADDRESS:PORT`. */
  readonly servers: () => readonly string[]
}

/** Of a reply nothing is of use but the count in a small message. */
const replyBytesMax = 65_536

/** @returns what became of it. Never rejects */
export async function post(target: PostTarget, body: string): Promise<PostResult> {
  const signal = AbortSignal.timeout(target.timeoutMs)
  try {
    const response = await request(target, body, signal)
    const { statusCode = 0, headers } = response
    const text = await textOf(response)
    return judgeReply(statusCode, { retryAfter: headers['retry-after'], body: text }, Date.now())
  } catch (error) {
    const why = signal.aborted ? `no reply within ${target.timeoutMs} ms` : whyOf(error)
    return { kind: 'later', why }
  }
}

async function request(
  target: PostTarget,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, caFile, headersFile, version, servers } = target
  const isTls = url.protocol === 'https:'
  const options: RequestOptions & { ca?: string } = {
    method: 'POST',
    // One request in seconds: a connection that is kept would be closed by the other side half of the time.
    agent: false,
    lookup: lookupAt(servers()),
    signal,
    headers: {
      ...(await headersIn(headersFile)),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `OTel-OTLP-Exporter-neardns/${version}`,
    },
    ...(isTls && caFile !== null && { ca: await readFile(caFile, 'utf8') }),
  }
  // Loaded on first use: a daemon without a collector saves TLS (docs/decisions/0022).
  const { request: open } = isTls
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http')
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  open(url, options, resolve).on('error', reject).end(body)
  return await promise
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    // Leaving the loop closes the connection.
    if (text.length > replyBytesMax) break
  }
  return text
}

async function headersIn(path: string | null): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  const text = path === null ? '' : await readFile(path, 'utf8')
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim()
  }
  return headers
}

/** The node's resolver may know no name of the cluster, so the daemon is asked, as a pod asks it. */
function lookupAt(servers: readonly string[]): LookupFunction {
  return (name, _options, callback) => {
    const { Resolver } = process.getBuiltinModule('node:dns').promises
    const resolver = new Resolver({ timeout: 2000, tries: 2 })
    resolver.setServers(servers)
    const found = (family: 4 | 6) => (addresses: string[]) =>
      addresses.map((address) => ({ address, family }))
    Promise.allSettled([
      resolver.resolve4(name).then(found(4)),
      resolver.resolve6(name).then(found(6)),
    ])
      .then((results) => {
        const all = results.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
        const none = Object.assign(new Error(`no address of ${name}`), { code: 'ENOTFOUND' })
        callback(all.length === 0 ? none : null, all)
      })
      .catch(() => undefined)
  }
}

function whyOf(error: unknown): string {
  // Several addresses that all failed are one error without words.
  const first: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error
  return first instanceof Error ? first.message : String(first)
}
