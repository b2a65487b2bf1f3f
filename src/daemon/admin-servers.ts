/**
 * The HTTP servers of the admin pages, one for each address of `admin.listen`, all with the same pages. Opens and closes them together;
 * where the configuration allows it, an address that another process has is tried again. Knows no page.
 */
import { formatEndpoint } from '../address/endpoint.ts'
import type { HeldSockets } from '../handover/held-sockets.ts'
import { type AdminOptions, AdminServer } from '../observe/admin-server.ts'
import type { Log } from '../observe/log.ts'
import { errorCode, type ListenAddress, whyNotBound } from '../system/bind.ts'

/** Between two attempts to open an address that another process has. */
const retryMs = 5000

export interface AdminListening {
  readonly listen: readonly ListenAddress[]
  readonly whenTaken: 'end' | 'retry'
}

export interface AdminServersParts {
  readonly held: HeldSockets | undefined
  readonly log: Log
  /** Anew for each server. */
  readonly pages: () => Omit<AdminOptions, 'listen' | 'fd'>
}

/** An admin address could not be opened. The message is one line for the operator. */
export class AdminBindError extends Error {
  readonly code: string

  constructor(address: ListenAddress, cause: unknown) {
    const code = errorCode(cause)
    const cure =
      code === 'EADDRINUSE'
        ? '; admin.listen (--admin) takes another address, admin.whenTaken: retry serves DNS meanwhile'
        : ''
    super(
      `cannot listen on admin ${formatEndpoint(address)}: ${whyNotBound(cause)} (${code})${cure}`,
      {
        cause,
      },
    )
    this.code = code
  }
}

export class AdminServers {
  private readonly parts: AdminServersParts
  private servers: AdminServer[] = []
  private readonly timers = new Set<NodeJS.Timeout>()

  constructor(parts: AdminServersParts) {
    this.parts = parts
  }

  /**
   * Opens these addresses in place of those before.
   * @returns addresses that are open, with their real ports
   * @throws AdminBindError for the first that cannot be opened, unless it is tried again
   */
  async listen({ listen, whenTaken }: AdminListening): Promise<string[]> {
    await this.stop()
    const opened: string[] = []
    for (const address of listen) {
      try {
        opened.push(await this.open(address))
      } catch (error) {
        if (whenTaken === 'end') throw new AdminBindError(address, error)
        this.parts.log.warn(
          { address: formatEndpoint(address), code: errorCode(error), why: whyNotBound(error) },
          'admin: this address cannot be had; trying again',
        )
        this.tryLater(address)
      }
    }
    return opened
  }

  /** Another process answers from now on. */
  async retire(): Promise<void> {
    await Promise.all(this.taken().map((server) => server.retire()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.taken().map((server) => server.stop()))
  }

  private taken(): readonly AdminServer[] {
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    const { servers } = this
    this.servers = []
    return servers
  }

  private async open(listen: ListenAddress): Promise<string> {
    const { held, pages } = this.parts
    const fd = held?.obtain('admin', listen).fd
    const server = new AdminServer({ ...pages(), listen, ...(fd !== undefined && { fd }) })
    // Before it is open, so that a stop meanwhile closes it.
    this.servers.push(server)
    try {
      const { port } = await server.start()
      return formatEndpoint({ ...listen, port })
    } catch (error) {
      this.servers = this.servers.filter((one) => one !== server)
      throw error
    }
  }

  private tryLater(address: ListenAddress): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      this.open(address).then(
        (at) => this.parts.log.info({ address: at }, 'admin: this address is open now'),
        () => this.tryLater(address),
      )
    }, retryMs)
    timer.unref()
    this.timers.add(timer)
  }
}
