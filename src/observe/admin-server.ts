/**
 * HTTP for operators and probes, over TCP or a Unix socket: a fixed set of pages, GET and HEAD only, and the calls of the operator's API. Of
 * a request to a page it reads only the method, the path and the headers Host and Authorization, and never repeats any of it unparsed.
 * Headers, bodies, time and connections are bounded. Knows nothing of the daemon: pages are functions.
 *
 * `node:http` comes from `process.getBuiltinModule`, because `import 'node:http'` evaluates all its lazy exports (WebSocket, and with it
 * undici): 62 MB of RSS instead of 47 MB with a listening server, Node 26.10.
 */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Access, isAllowedHost } from './admin-access.ts'
import { type AdminCall, type Page, readBody } from './admin-calls.ts'
import { type ConnectionBounds, ConnectionGuard } from './connection-guard.ts'

/** Makes a page. A rejection becomes a 500 without details. */
export type PageSource = () => Page | Promise<Page>

export interface QuestionPage {
  /** As `/explain/`. */
  readonly prefix: string
  answer(rest: string): Page
}

export interface AdminAddress {
  /** IP address, or the path of a Unix socket. */
  readonly address: string
  /** 0 with a path. */
  readonly port: number
}

export interface AdminOptions {
  readonly listen: AdminAddress
  /** Descriptor of a socket that listens there already. The server closes it. */
  readonly fd?: number
  /** By path, as `/metrics`. */
  readonly pages: ReadonlyMap<string, PageSource>
  /** Pages about the name in the rest of the path, for senders whom `access` admits. They must not repeat the path unescaped. */
  readonly questions?: readonly QuestionPage[]
  readonly calls?: readonly AdminCall[]
  /** Names, in lower case, by which the server may be asked besides its addresses and localhost. */
  readonly hostNames?: readonly string[]
  /** Who may ask for names and clients, and change something. Default: nobody. */
  readonly access?: Access
  /** Called when a page failed. Must not throw. */
  readonly onDefect: (error: unknown) => void
}

/**
 * Scrapers and probes keep one connection each, so this is plenty; several scrapers of one host share an address. Nobody who reads these
 * pages sends requests ahead of replies, and all that come in one packet are answered in one turn of the event loop: 16 connections with
 * 1000 requests for /metrics each took 880 MB and kept queries waiting for 0.9 s.
 */
const connectionBounds: ConnectionBounds = {
  remoteMax: 64,
  perAddressMax: 16,
  localMax: 16,
  requestsMax: 4,
}
/** Node's default is 16 KiB. No scraper needs a quarter of this. */
const headerBytesMax = 8192
const requestMsMax = 5000
/** Scrapers come every 15-60 s and reuse their connection. */
const idleMsMax = 65_000
/** A client that does not read its reply for this long is cut off. */
const stalledMsMax = 10_000
const requestsPerConnectionMax = 1000
/**
 * Bytes written in one turn of the event loop. To a scraper on the same node the kernel delivers during the system call: 41 KB of
 * metrics in one call took 1.5 ms (AMD EPYC, loopback), in which no packet was answered.
 */
const pieceBytes = 4096
/** Time for the last pages when another process takes over. */
const retireMsMax = 1000

export class AdminServer {
  private readonly options: AdminOptions
  private readonly guard = new ConnectionGuard(connectionBounds)
  private server: Server | undefined
  private isRetiring = false

  constructor(options: AdminOptions) {
    this.options = options
  }

  /** @returns where it listens, with the real port; rejects with the system's error when it cannot */
  start(): Promise<AdminAddress> {
    const server = this.newServer()
    this.server = server
    const { fd, listen } = this.options
    const { address, port } = listen
    // So that [::] and 0.0.0.0 can both be listened on.
    const ipv6Only = address.includes(':')
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      const place = address.startsWith('/') ? { path: address } : { host: address, port, ipv6Only }
      server.listen(fd === undefined ? place : { fd }, () => {
        server.off('error', reject)
        // Later errors are failed accepts (EMFILE): one client is lost, the server goes on.
        server.on('error', this.options.onDefect)
        const bound = server.address()
        resolve({ address, port: typeof bound === 'object' && bound ? bound.port : port })
      })
    })
  }

  /** Closes all connections at once: a scraper reconnects, and a probe should notice. */
  stop(): Promise<void> {
    const server = this.server
    this.server = undefined
    if (!server) return Promise.resolve()
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  /**
   * Accepts no new connections, because another process does. Each open connection gets one more page with `connection: close`, so that
   * no scraper sends a request into a connection that is being closed.
   */
  async retire(): Promise<void> {
    const server = this.server
    this.server = undefined
    if (!server) return
    this.isRetiring = true
    const cut = setTimeout(() => server.closeAllConnections(), retireMsMax)
    // Not http's own `close`, which closes idle connections at once.
    await new Promise((resolve) => NetServer.prototype.close.call(server, resolve))
    clearTimeout(cut)
  }

  private newServer(): Server {
    const server = process.getBuiltinModule('node:http').createServer(
      {
        maxHeaderSize: headerBytesMax,
        headersTimeout: requestMsMax,
        requestTimeout: requestMsMax,
        keepAliveTimeout: idleMsMax,
        // Node's timer for that runs without a connection as well: a shorter period would wake an idle daemon for nothing.
        connectionsCheckingInterval: requestMsMax,
        insecureHTTPParser: false,
      },
      (request, response) => this.answer(request, response),
    )
    server.maxRequestsPerSocket = requestsPerConnectionMax
    server.on('connection', (socket) => {
      socket.setTimeout(idleMsMax + stalledMsMax, () => socket.destroy())
      this.guard.admit(socket)
    })
    // A request that is no HTTP, too long or too slow gets no reply.
    server.on('clientError', (_error, socket) => socket.destroy())
    return server
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    if (!this.guard.busy(socket)) return
    response.setTimeout(stalledMsMax, () => response.destroy())
    response.once('close', () => this.guard.idle(socket))
    if (this.isRetiring) response.shouldKeepAlive = false
    const page = this.pageFor(request)
    if (page instanceof Promise) {
      page.then(
        (made) => send(request, response, made),
        (error: unknown) => {
          this.options.onDefect(error)
          send(request, response, failed)
        },
      )
    } else send(request, response, page)
  }

  private pageFor(request: IncomingMessage): Page | Promise<Page> {
    if (!isAllowedHost(request.headersDistinct['host'], this.options.hostNames)) return wrongHost
    const [path = '', search = ''] = (request.url ?? '').split('?', 2)
    const call = this.options.calls?.find((one) => one.path === path)
    if (call !== undefined && isFor(call, request)) return this.called(call, request, search)
    if (request.method !== 'GET' && request.method !== 'HEAD') return wrongMethod
    const source = this.options.pages.get(path)
    const about = this.options.questions?.find(({ prefix }) => path.startsWith(prefix))
    if (!source && !about) return this.notFound()
    const refusal = source ? undefined : this.refusal(request)
    if (refusal !== undefined) return refusal
    return this.guarded(() =>
      source ? source() : (about?.answer(path.slice(about.prefix.length)) ?? failed),
    )
  }

  private called(call: AdminCall, request: IncomingMessage, search: string) {
    const admission = this.options.access?.(request) ?? nobody
    if (call.isOpen !== true && !admission.ok) return forbidden(admission.why)
    const isRoot = admission.ok && admission.isRoot
    if (call.isForRoot === true && !isRoot) return forbidden(rootAlone)
    const params = new URLSearchParams(search)
    const { bodyBytesMax } = call
    if (bodyBytesMax === undefined)
      return this.guarded(() => call.answer({ params, body: Buffer.alloc(0), isRoot }))
    return this.guarded(async () => {
      const body = await readBody(request, bodyBytesMax)
      return body === undefined ? tooLong(bodyBytesMax) : call.answer({ params, body, isRoot })
    })
  }

  private refusal(request: IncomingMessage): Page | undefined {
    const admission = this.options.access?.(request) ?? nobody
    return admission.ok ? undefined : forbidden(admission.why)
  }

  private guarded(make: () => Page | Promise<Page>): Page | Promise<Page> {
    try {
      return make()
    } catch (error) {
      this.options.onDefect(error)
      return failed
    }
  }

  private notFound(): Page {
    const prefixes = (this.options.questions ?? []).map(({ prefix }) => `${prefix}...`)
    const calls = (this.options.calls ?? []).map(({ path }) => path)
    const paths = [...this.options.pages.keys(), ...prefixes, ...calls].join('\n')
    return { status: 404, body: `There is nothing here. There is:\n${paths}\n` }
  }
}

const failed: Page = { status: 500, body: 'This page could not be made; the log says why.\n' }
const wrongMethod: Page = { status: 405, body: 'GET and HEAD only.\n' }
const rootAlone = 'This is for root alone, over the socket of admin.socket.'
const nobody = { ok: false, why: 'Nobody may ask for this here.' } as const

function tooLong(bytesMax: number): Page {
  return { status: 413, body: `The body is longer than ${bytesMax} bytes, or was cut off.\n` }
}

function forbidden(why: string): Page {
  return { status: 403, body: `${why}\n` }
}

/** A call that reads is open to HEAD as well. */
function isFor({ method }: AdminCall, request: IncomingMessage): boolean {
  return request.method === method || (method === 'GET' && request.method === 'HEAD')
}
const wrongHost: Page = {
  status: 421,
  body: 'Ask for this server by its IP address, as localhost, or by a name of admin.hostNames.\n',
}

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  if (response.destroyed) return
  const body = Buffer.from(page.body)
  // A request with a body is answered and cut off. The body is never read.
  const hasBody =
    request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined
  response.writeHead(page.status, {
    'content-type': page.contentType ?? 'text/plain; charset=utf-8',
    ...(page.pieces === undefined && { 'content-length': body.length }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...page.headers,
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(hasBody || page.status >= 400 ? { connection: 'close' } : {}),
  })
  if (page.pieces !== undefined) return void sendPieces(response, page.pieces)
  if (body.length <= pieceBytes) response.end(body)
  else void sendInPieces(response, body)
}

async function sendInPieces(response: ServerResponse, body: Buffer): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += pieceBytes) {
    response.write(body.subarray(at, at + pieceBytes))
    await nextTurn()
  }
  response.end()
}

/** Waits until the reader has taken what was written, so that memory holds one piece at a time. Cut off when a piece cannot be made. */
async function sendPieces(response: ServerResponse, pieces: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return
      const isTaken = response.write(piece)
      if (!isTaken) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
    response.end()
  } catch {
    response.destroy()
  }
}
