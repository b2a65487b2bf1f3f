/** Views of queries as the flight recorder makes them, by hand. */
import type { FlightView, SendingView } from '../../../src/observe/live/flight-recorder.ts'

export function sendingOf(of: Partial<SendingView> = {}): SendingView {
  return {
    ...{ upstream: 'udp://192.0.2.53:53', proto: 'udp', why: 'first', afterMs: 10, queuedMs: 0.5 },
    ...{ endMs: 310, rcode: 'NOERROR', lostTo: undefined },
    ...of,
  }
}

/** Answered after 310 ms at a whole second. */
export function flightOf(of: Partial<FlightView> = {}): FlightView {
  return {
    ...{ atMs: 1_780_000_000_000, name: 'www.example.', type: 28, client: '10.1.2.3' },
    ...{ clientPort: 40_000, proto: 'udp', rcode: 'NOERROR', source: 'upstream', ede: -1 },
    ...{ tookMs: 310, waitedMs: 10, isJoined: false, group: 'external' },
    ...{ sendings: [sendingOf()], answeredBy: 'udp://192.0.2.53:53', count: 1 },
    ...of,
  }
}
