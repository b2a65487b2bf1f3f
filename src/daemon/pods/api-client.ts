/**
 * The Kubernetes API as a pod reaches it: its address from the environment, token and authority from the files of the service account, read at each
 * request because the kubelet renews them. Whole answers, and watches as lines. The only client of the API in the daemon.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { join } from 'node:path'
import { textOf } from '../../platform/json-member.ts'

export interface ApiPlace {
  readonly url: URL
  /** Folder with `token` and `ca.crt`; undefined: neither is used, as by tests over HTTP. */
  readonly accountFolder: string | undefined
}

const usualFolder = '/var/run/secrets/kubernetes.io/serviceaccount'
const answerMs = 10_000
const messageCharactersMax = 300
/** A page of pods has less. */
const answerBytesMax = 16 * 1024 * 1024

/** An answer that is none of success. */
export class ApiRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** @returns undefined outside of a cluster */
export function apiPlace(environment: Readonly<NodeJS.ProcessEnv>): ApiPlace | undefined {
  const [host, port] = [
    environment['KUBERNETES_SERVICE_HOST'],
    environment['KUBERNETES_SERVICE_PORT'],
  ]
  if (!host || !port) return undefined
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return URL.canParse(url) ? { url: new URL(url), accountFolder: usualFolder } : undefined
}

export interface WatchTerms {
  readonly signal: AbortSignal
  /** Without a byte for so long the connection counts as dead. */
  readonly idleMs: number
  /** The API has taken the watch. */
  readonly onOpen: () => void
}

export class ApiClient {
  private readonly place: ApiPlace

  constructor(place: ApiPlace) {
    this.place = place
  }

  /** @throws ApiRefusal, or the error of the connection */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
    const response = await this.open(path, bounded)
    return JSON.parse(await bodyOf(response))
  }

  /**
   * Reads a watch until its end.
   * @throws ApiRefusal, or the error of the connection
   */
  async watch(
    path: string,
    { signal, idleMs, onOpen }: WatchTerms,
    onEvent: (event: unknown) => void,
  ): Promise<void> {
    const response = await this.open(path, signal)
    onOpen()
    response.socket.setKeepAlive(true, 15_000)
    response.setTimeout(idleMs, () => response.destroy(new Error(`nothing came for ${idleMs} ms`)))
    response.setEncoding('utf8')
    let rest = ''
    for await (const chunk of response) {
      const lines = `${rest}${String(chunk)}`.split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > answerBytesMax) throw new Error('an event without an end')
      for (const line of lines) if (line !== '') onEvent(JSON.parse(line))
    }
  }

  private async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, accountFolder } = this.place
    const read = async (name: string) =>
      accountFolder === undefined ? '' : await readFile(join(accountFolder, name), 'utf8')
    const [token, ca] = [(await read('token')).trim(), await read('ca.crt')]
    const options: RequestOptions & { ca?: string } = {
      agent: false,
      signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'neardns',
        ...(token !== '' && { authorization: `Bearer ${token}` }),
      },
      ...(ca !== '' && { ca }),
    }
    const client = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    client.get(new URL(path, url), options, resolve).on('error', reject)
    const response = await promise
    const { statusCode = 0 } = response
    if (statusCode === 200) return response
    throw new ApiRefusal(
      statusCode,
      `HTTP status ${statusCode} ${await messageIn(response)}`.trim(),
    )
  }
}

async function messageIn(response: IncomingMessage): Promise<string> {
  const body = await bodyOf(response).catch(() => '')
  try {
    return textOf(JSON.parse(body), 'message').slice(0, messageCharactersMax)
  } catch {
    return ''
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const part = Buffer.from(chunk as Uint8Array)
    bytes += part.length
    if (bytes > answerBytesMax) throw new Error(`an answer of more than ${answerBytesMax} bytes`)
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString()
}
