/**
 * HTTP for operators and probes: a fixed set of pages, GET and HEAD only. Reads only the method, the path and the headers Host and Authorization
 * of a request, and never repeats any of it unparsed. Headers, time and connections are bounded. Knows nothing of the daemon: pages are
 * functions.
 *
 * `node:http` comes from `process.getBuiltinModule`, because `import 'node:http'` evaluates all its lazy exports (WebSocket, and with it
 * undici): 62 MB of RSS instead of 47 MB with a listening server, Node 26.10.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP, Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ConnectionBounds, ConnectionGuard } from './connection-guard.ts'

export interface Page {
  readonly status: number
  readonly body: string
  /** Plain text by default. */
  readonly contentType?: string
}

/** Makes a page. A rejection becomes a 500 without details. */
export type PageSource = () => Page | Promise<Page>

export interface QuestionPage {
  /** As `/explain/`. */
  readonly prefix: string
  answer(rest: string): Page
}

export interface AdminAddress {
  readonly address: string
  readonly port: number
}

export interface AdminOptions {
  readonly listen: AdminAddress
  /** Descriptor of a socket that listens there already. The server closes it. */
  readonly fd?: number
  /** By path, as `/metrics`. */
  readonly pages: ReadonlyMap<string, PageSource>
  /**
   * Pages about the name in the rest of the path. Only for this host and for holders of the token: a pod must not learn here what
   * others ask. They must not repeat the path unescaped.
   */
  readonly questions?: readonly QuestionPage[]
  /** @returns the token that `Authorization: Bearer` must carry; undefined refuses every other host */
  readonly token?: () => string | undefined
  /** Called when a page failed. Must not throw. */
  readonly onDefect: (error: unknown) => void
}

/** Scrapers and probes keep one connection each, so this is plenty; several scrapers of one host share an address. */
const connectionBounds: ConnectionBounds = { remoteMax: 64, perAddressMax: 16, localMax: 16 }
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
      server.listen(fd === undefined ? { host: address, port, ipv6Only } : { fd }, () => {
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
    response.setTimeout(stalledMsMax, () => response.destroy())
    const { socket } = request
    this.guard.busy(socket)
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
    if (!isAllowedHost(request.headersDistinct['host'])) return wrongHost
    if (request.method !== 'GET' && request.method !== 'HEAD') return wrongMethod
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const source = this.options.pages.get(path)
    const about = this.options.questions?.find(({ prefix }) => path.startsWith(prefix))
    if (!source && !about) return this.notFound()
    if (!source && !this.isTrusted(request)) return forbidden
    try {
      return source ? source() : (about?.answer(path.slice(about.prefix.length)) ?? failed)
    } catch (error) {
      this.options.onDefect(error)
      return failed
    }
  }

  /** A connection from this host to itself has the same address at both ends. */
  private isTrusted({ socket, headers }: IncomingMessage): boolean {
    if (socket.remoteAddress !== undefined && socket.remoteAddress === socket.localAddress)
      return true
    const token = this.options.token?.()
    return token !== undefined && isSame(headers.authorization ?? '', `Bearer ${token}`)
  }

  private notFound(): Page {
    const prefixes = (this.options.questions ?? []).map(({ prefix }) => `${prefix}...`)
    const paths = [...this.options.pages.keys(), ...prefixes].join('\n')
    return { status: 404, body: `There is nothing here. There is:\n${paths}\n` }
  }
}

const failed: Page = { status: 500, body: 'This page could not be made; the log says why.\n' }
const wrongMethod: Page = { status: 405, body: 'GET and HEAD only.\n' }
const forbidden: Page = {
  status: 403,
  body: 'This page tells names: ask from the node itself, or with the token of admin.tokenFile.\n',
}
const wrongHost: Page = {
  status: 421,
  body: 'Ask for this server by its IP address or as localhost.\n',
}

/** Takes the same time wherever two texts of equal length differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  let difference = a.length ^ b.length
  for (let at = 0; at < b.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

/**
 * Refuses every name but `localhost`: a web page in a browser that asks this DNS could have its own name point to this address (DNS
 * rebinding), and read the admin pages as its own.
 */
function isAllowedHost(hosts: readonly string[] | undefined): boolean {
  const [host, ...more] = hosts ?? []
  if (host === undefined || more.length > 0) return false
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host)
  if (!name) return false
  const text = name[1] ?? name[2] ?? ''
  return text.toLowerCase() === 'localhost' || isIP(text) === (name[1] === undefined ? 4 : 6)
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
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(hasBody || page.status >= 400 ? { connection: 'close' } : {}),
  })
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
