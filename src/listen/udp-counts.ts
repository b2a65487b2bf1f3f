/** The counts of a UDP endpoint: plain numbers, increased per datagram or per batch. */
import type { UdpStats } from './udp-endpoint.ts'

export class UdpCounts implements UdpStats {
  received = 0
  sent = 0
  readonly sendErrors = new Map<string, number>()
  queueDrops = 0
  unsendable = 0
  ignored = 0
  handlerDefects = 0
  readonly socketErrors = new Map<string, number>()
  receiveBufferBytes = 0
}
