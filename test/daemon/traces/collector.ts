/** A collector that a test plays: takes requests over HTTP, keeps their bodies, answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

export interface Posted {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly atMs: number
}

export type CollectorReply = (response: ServerResponse, posted: Posted) => void

/** What a collector says that has taken all. */
export const taken: CollectorReply = (response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}')

export class FakeCollector {
  private readonly server: Server
  readonly posted: Posted[] = []
  reply: CollectorReply = taken

  private constructor(tls?: { readonly key: string; readonly cert: string }) {
    const take = (request: IncomingMessage, response: ServerResponse) =>
      this.take(request, response)
    this.server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
  }

  static async start(tls?: {
    readonly key: string
    readonly cert: string
  }): Promise<FakeCollector> {
    const collector = new FakeCollector(tls)
    collector.server.listen(0, '127.0.0.1')
    await once(collector.server, 'listening')
    return collector
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const { url: path = '', headers } = request
      const posted = { path, headers, body, atMs: performance.now() }
      this.posted.push(posted)
      this.reply(response, posted)
    })
    request.on('error', () => undefined)
  }
}
