/**
 * HTTP for operators and probes: a fixed set of pages, GET only. It reads nothing from a request but its method, path
 * and Host header, and repeats nothing of it that has not been parsed. Everything is bounded: headers, time, connections. Knows nothing
 * of the daemon: pages are functions.
 *
 * `node:http` is taken from `process.getBuiltinModule`, because `import 'node:http'` evaluates all its lazy exports
 * (WebSocket and with it undici): 62 MB of RSS instead of 47 MB with a listening server, Node 26.10.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP, Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Page {
  readonly status: number
  readonly body: string
  /** Plain text unless said otherwise. */
  readonly contentType?: string
}

/** Makes a page; a rejection becomes a 500 without details. */
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
  /** A descriptor of a socket that listens there already; the server closes it. */
  readonly fd?: number
  /** By path, as `/metrics`. */
  readonly pages: ReadonlyMap<string, PageSource>
  /**
   * Pages about something that the rest of the path names, for this host and for those who have the token: a pod must not learn here
   * what others ask. They must not repeat the path unescaped.
   */
  readonly questions?: readonly QuestionPage[]
  /** @returns what `Authorization: Bearer` must carry; undefined: nobody from elsewhere gets in */
  readonly token?: () => string | undefined
  /** Told of pages that failed. Must not throw. */
  readonly onDefect: (error: unknown) => void
}

/** Scrapers and probes keep one connection each; more is somebody else. */
const connectionsMax = 64
/** Node's default is 16 KiB; no scraper needs a quarter of this. */
const headerBytesMax = 8192
const requestMsMax = 5000
/** Scrapers come every 15-60 s and like to find their connection again. */
const idleMsMax = 65_000
/** A client that does not read its reply for so long is cut off. */
const stalledMsMax = 10_000
const requestsPerConnectionMax = 1000
/**
 * Written in one turn of the event loop. What goes to a scraper on the same node is delivered while it is written: 41 KB of metrics in
 * one go took 1.5 ms of system call (AMD EPYC, loopback), in which no packet was answered.
 */
const pieceBytes = 4096
/** For the last pages, when another process takes over. */
const retireMsMax = 1000

export class AdminServer {
  readonly #options: AdminOptions
  #server: Server | undefined
  #isRetiring = false

  constructor(options: AdminOptions) {
    this.#options = options
  }

  /** @returns where it listens, with the real port; rejects with the system's error when it cannot */
  start(): Promise<AdminAddress> {
    const server = this.#newServer()
    this.#server = server
    const { fd, listen } = this.#options
    const { address, port } = listen
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(fd === undefined ? { host: address, port } : { fd }, () => {
        server.off('error', reject)
        // Later errors are failed accepts (EMFILE): that client is lost, the server goes on.
        server.on('error', this.#options.onDefect)
        const bound = server.address()
        resolve({ address, port: typeof bound === 'object' && bound ? bound.port : port })
      })
    })
  }

  /** Closes all connections at once: a scraper comes again, and a probe should learn of it. */
  stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return Promise.resolve()
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  /**
   * Takes no new connections: another process does. Those that are open get one more page each, with a word to close, so that no
   * scraper's request meets a connection that is just being closed.
   */
  async retire(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    this.#isRetiring = true
    const cut = setTimeout(() => server.closeAllConnections(), retireMsMax)
    // Not http's own `close`, which closes what is idle at once.
    await new Promise((resolve) => NetServer.prototype.close.call(server, resolve))
    clearTimeout(cut)
  }

  #newServer(): Server {
    const server = process.getBuiltinModule('node:http').createServer(
      {
        maxHeaderSize: headerBytesMax,
        headersTimeout: requestMsMax,
        requestTimeout: requestMsMax,
        keepAliveTimeout: idleMsMax,
        connectionsCheckingInterval: 1000,
        insecureHTTPParser: false,
      },
      (request, response) => this.#answer(request, response),
    )
    server.maxConnections = connectionsMax
    server.maxRequestsPerSocket = requestsPerConnectionMax
    server.on('connection', (socket) => {
      socket.setTimeout(idleMsMax + stalledMsMax, () => socket.destroy())
    })
    // What is no HTTP, or too long, or too slow, gets no explanation.
    server.on('clientError', (_error, socket) => socket.destroy())
    return server
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.setTimeout(stalledMsMax, () => response.destroy())
    if (this.#isRetiring) response.shouldKeepAlive = false
    const page = this.#pageFor(request)
    if (page instanceof Promise) {
      page.then(
        (made) => send(request, response, made),
        (error: unknown) => {
          this.#options.onDefect(error)
          send(request, response, failed)
        },
      )
    } else send(request, response, page)
  }

  #pageFor(request: IncomingMessage): Page | Promise<Page> {
    if (!isAllowedHost(request.headersDistinct['host'])) return wrongHost
    if (request.method !== 'GET') return wrongMethod
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const source = this.#options.pages.get(path)
    const about = this.#options.questions?.find(({ prefix }) => path.startsWith(prefix))
    if (!source && !about) return this.#notFound()
    if (!source && !this.#isTrusted(request)) return forbidden
    try {
      return source ? source() : (about?.answer(path.slice(about.prefix.length)) ?? failed)
    } catch (error) {
      this.#options.onDefect(error)
      return failed
    }
  }

  /** A connection from this host to itself has one address at both ends. */
  #isTrusted({ socket, headers }: IncomingMessage): boolean {
    if (socket.remoteAddress !== undefined && socket.remoteAddress === socket.localAddress)
      return true
    const token = this.#options.token?.()
    return token !== undefined && isSame(headers.authorization ?? '', `Bearer ${token}`)
  }

  #notFound(): Page {
    const prefixes = (this.#options.questions ?? []).map(({ prefix }) => `${prefix}...`)
    const paths = [...this.#options.pages.keys(), ...prefixes].join('\n')
    return { status: 404, body: `There is nothing here. There is:\n${paths}\n` }
  }
}

const failed: Page = { status: 500, body: 'This page could not be made; the log says why.\n' }
const wrongMethod: Page = { status: 405, body: 'GET only.\n' }
const forbidden: Page = {
  status: 403,
  body: 'This page tells names: ask from the node itself, or with the token of admin.tokenFile.\n',
}
const wrongHost: Page = {
  status: 421,
  body: 'Ask for this server by its IP address or as localhost.\n',
}

/** Takes the same time wherever two texts of one length differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  let difference = a.length ^ b.length
  for (let at = 0; at < b.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

/**
 * We are the DNS of those who might be lured here: a page in somebody's browser could have its own name point to
 * this address (DNS rebinding). A name that anybody can point anywhere is not accepted.
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
  // A request with a body is answered and cut off; the body is never read.
  const hasBody =
    request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined
  response.writeHead(page.status, {
    'content-type': page.contentType ?? 'text/plain; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 ? { allow: 'GET' } : {}),
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
