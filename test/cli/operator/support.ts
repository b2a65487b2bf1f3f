/** A daemon's private socket that notes what it is asked, and says what the test wants. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class StandInDaemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'neardns-stand-in-'))
  readonly admin = join(this.folder, 'admin.sock')
  asked: string[] = []
  /** By path; without an entry a call is not known. */
  replies: Record<string, unknown> = {}
  /** It takes requests and answers none. */
  isSilent = false
  private readonly server: Server

  private constructor() {
    this.server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`)
      if (this.isSilent) return
      const reply = this.replies[(request.url ?? '').split('?', 1)[0] ?? '']
      if (reply === undefined) response.writeHead(404).end('There is nothing here.\n')
      else response.end(JSON.stringify(reply))
    })
  }

  static async start(): Promise<StandInDaemon> {
    const daemon = new StandInDaemon()
    await new Promise<void>((resolve) => daemon.server.listen(daemon.admin, resolve))
    return daemon
  }

  stop(): void {
    this.server.close()
    this.server.closeAllConnections()
    rmSync(this.folder, { recursive: true })
  }
}
