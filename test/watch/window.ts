/**
 * Shows a page of metrics that is served inside a network namespace to a Prometheus outside, which has another loopback: fetched
 * inside, by an agent, for each scrape outside.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Agent } from '../support/world/agent.ts'

export class Window {
  readonly address: string
  readonly #server: Server

  private constructor(server: Server, address: string) {
    this.#server = server
    this.address = address
  }

  /** @param inside `HOST:PORT` of the admin server, as the agent sees it */
  static async open(agent: Agent, inside: string): Promise<Window> {
    const server = createServer((_request, response) => {
      agent.call('fetch', { url: `http://${inside}/metrics` }).then(
        ({ status, body }) =>
          response.writeHead(status, { 'content-type': 'text/plain' }).end(body),
        () => response.writeHead(502).end(),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no port')
    return new Window(server, `127.0.0.1:${address.port}`)
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
