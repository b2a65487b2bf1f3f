/**
 * The victim of flood tests, in a process of its own so that its memory and CPU can be told from the attackers'.
 * Takes TcpSettings as JSON in argv[2]. Each message from the parent is answered with a report.
 */
import { bindBoth } from '../../src/listen/bind-pair.ts'
import { TcpConnections } from '../../src/listen/tcp-connections.ts'
import { TcpListener } from '../../src/listen/tcp-listener.ts'
import type { TcpSettings } from '../../src/listen/tcp-settings.ts'
import type { TcpStats } from '../../src/listen/tcp-stats.ts'
import { PortableUdpEndpoint } from '../../src/listen/udp-portable.ts'
import { ScriptedHandler, v4 } from './scripted-handler.ts'

export interface FloodReport {
  readonly port: number
  readonly rssBytes: number
  /** User and system time of the process so far. */
  readonly cpuMs: number
  readonly handled: number
  readonly tcp: TcpStats
  readonly acceptErrors: readonly (readonly [code: string, count: number])[]
}

const settings = JSON.parse(process.argv[2] ?? '{}') as TcpSettings
const handler = new ScriptedHandler()
handler.replyBytes = 1000
const connections = new TcpConnections(settings)

const { tcp, udp } = await bindBoth(handler, v4, {
  tcp: (address) => new TcpListener({ address, serverIndex: 0, settings, connections }),
  udp: (address) =>
    new PortableUdpEndpoint({
      address,
      serverIndex: 0,
      settings: { receiveBufferBytes: 212_992, sendQueueMax: 1000 },
    }),
})

process.on('message', () => process.send?.(report()))
process.once('disconnect', () => process.exit(0))
process.send?.(report())

/** 0 when there is no file descriptor left to read it with. */
function rssBytes(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    return 0
  }
}

function report(): FloodReport {
  const { user, system } = process.cpuUsage()
  return {
    port: udp.address.port,
    rssBytes: rssBytes(),
    cpuMs: (user + system) / 1000,
    handled: handler.handled,
    tcp: tcp.stats,
    acceptErrors: [...tcp.stats.acceptErrors],
  }
}
