/**
 * Source addresses that must not be answered. A reply to port 0 makes Node's `send` throw; a reply to an echo, chargen or DNS
 * port starts two servers talking to each other for ever (CVE-2024-2169). The ports are those that BIND refuses.
 */

/** echo, discard, daytime, qotd, chargen, time, kpasswd: services that answer anything. */
const refusedPorts = [0, 7, 9, 13, 17, 19, 37, 464]
const dnsPort = 53

/** What the source port alone tells. */
export const PortVerdict = {
  fine: 0,
  /** A reply to this port is harmful at any address. */
  refused: 1,
  /** One of our own sockets or an upstream may use the port: ask `isKnownServer`. */
  suspect: 2,
} as const

export interface SocketAddress {
  readonly address: string
  readonly port: number
}

export class SourceGuard {
  private readonly verdicts = new Uint8Array(65_536)
  private readonly servers = new Set<string>()

  /** @param servers our own listening sockets and our upstreams: no client uses these addresses */
  constructor(servers: readonly SocketAddress[]) {
    // Some stubs really send from port 53, so it is refused only from known servers.
    this.verdicts[dnsPort] = PortVerdict.suspect
    for (const { address, port } of servers) {
      this.verdicts[port] = PortVerdict.suspect
      this.servers.add(`${address} ${port}`)
    }
    for (const port of refusedPorts) this.verdicts[port] = PortVerdict.refused
  }

  /** One table look-up, so that it costs nothing on the hit path. */
  judgePort(port: number): number {
    return this.verdicts[port] ?? PortVerdict.refused
  }

  isKnownServer(address: string, port: number): boolean {
    return this.servers.has(`${address} ${port}`)
  }
}
