/** A process that serves, for tests of the hand-over: real sockets on the loopback, and notes of what was asked of it. */
import type { Socket } from 'node:net'
import { HeldSockets } from '../../src/handover/held-sockets.ts'
import {
  type GiveConnection,
  Predecessor,
  type PredecessorOptions,
  type Service,
} from '../../src/handover/predecessor.ts'
import type { SuccessorOptions } from '../../src/handover/successor.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { meetingPoint } from './pair.ts'

export const calls = loadSystemCalls()
export const listen = { address: '127.0.0.1', port: 0, family: 4 } as const

export class NotedService implements Service {
  /** In their order: `pause`, `resumeReceiving`, `retire`, `resume`. */
  readonly asked: string[] = []
  give: GiveConnection | undefined
  /** Until it resolves the service still has something to do. */
  retired: Promise<void> = Promise.resolve()

  pauseReceiving(): void {
    this.asked.push('pause')
  }

  resumeReceiving(): void {
    this.asked.push('resumeReceiving')
  }

  async retire(give: GiveConnection | undefined): Promise<void> {
    this.asked.push('retire')
    this.give = give
    await this.retired
  }

  resume(): void {
    this.asked.push('resume')
  }
}

export interface Serving {
  readonly at: string
  readonly predecessor: Predecessor
  readonly service: NotedService
  readonly held: HeldSockets
  /** As the log would have them. */
  readonly events: string[]
  /** For a successor that meets it. */
  readonly options: SuccessorOptions
  stop(): Promise<void>
}

export async function serving(changes: Partial<PredecessorOptions> = {}): Promise<Serving> {
  const at = changes.at ?? meetingPoint()
  const service = new NotedService()
  const held = new HeldSockets(calls)
  const { udp, tcp } = held.obtainBoth(listen)
  held.forget({ udp, tcp })
  const events: string[] = []
  const predecessor = new Predecessor({
    at,
    timeoutMs: 2000,
    waits: false,
    calls,
    service,
    sockets: () => held.all,
    cacheDump: async function* () {
      yield Buffer.from('a dump ')
      yield Buffer.from('in pieces')
    },
    kernelProgram: () => 77,
    onEvent: (event, detail) => events.push(detail === '' ? event : `${event}: ${detail}`),
    ...changes,
  })
  await predecessor.start()
  const stop = async () => {
    await predecessor.stop()
    held.close()
  }
  const options = { at, timeoutMs: 2000, calls, dumpBytesMax: 1000 }
  return { at, predecessor, service, held, events, options, stop }
}

/** Resolves when the other end has closed the connection. */
export async function closed(socket: Socket): Promise<void> {
  socket.resume()
  // An error on the way there is for the socket's owner.
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}
