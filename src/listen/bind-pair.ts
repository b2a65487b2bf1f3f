/** Binds UDP and TCP on one address. Never chooses addresses. */
import type { QueryHandler } from '../core/ports.ts'
import { errorCode, freePortTriesMax, type ListenAddress } from '../system/bind.ts'
import type { TcpListener } from './tcp-listener.ts'
import type { UdpEndpoint } from './udp-endpoint.ts'

export interface BoundPair {
  readonly tcp: TcpListener
  readonly udp: UdpEndpoint
}

/**
 * Starts TCP and UDP on the same address. With port 0, UDP takes the port that TCP got.
 * @throws BindError; then neither is left open
 */
export async function bindBoth(
  handler: QueryHandler,
  address: ListenAddress,
  open: {
    readonly tcp: (address: ListenAddress) => TcpListener
    readonly udp: (address: ListenAddress) => UdpEndpoint
  },
): Promise<BoundPair> {
  for (let tries = 1; ; tries += 1) {
    const tcp = open.tcp(address)
    await tcp.start(handler)
    const udp = open.udp(tcp.address)
    try {
      await udp.start(handler)
      return { tcp, udp }
    } catch (error) {
      await tcp.stop(0)
      const anotherMayBeFree = address.port === 0 && errorCode(error) === 'EADDRINUSE'
      if (!anotherMayBeFree || tries === freePortTriesMax) throw error
    }
  }
}
