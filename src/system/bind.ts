/** What all listeners share: the address they bind, and the error when that fails. Knows no listener. */
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'

/** A socket address to listen on; with port 0 the kernel chooses one at `start`. */
export type ListenAddress = Endpoint

/** Tries to find a port that is free for UDP and TCP when the kernel chooses: TCP's port may be taken for UDP. */
export const freePortTriesMax = 8

export type ListenTransport = 'udp' | 'tcp'

/** An address could not be bound. The message is one line for the operator. */
export class BindError extends Error {
  override readonly name = 'BindError'
  /** errno name: EADDRINUSE, EACCES, EADDRNOTAVAIL or another. */
  readonly code: string
  readonly transport: ListenTransport
  readonly address: ListenAddress

  constructor(transport: ListenTransport, address: ListenAddress, cause: unknown) {
    const code = errorCode(cause)
    const why = whyNotBound(cause)
    super(`cannot listen on ${transport} ${formatEndpoint(address)}: ${why} (${code})`, { cause })
    this.code = code
    this.transport = transport
    this.address = address
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process has this port',
  EACCES: 'not permitted; ports below 1024 need CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this address is not on any interface of the machine',
}

/** @returns why an address cannot be listened on, in words */
export function whyNotBound(cause: unknown): string {
  return reasons[errorCode(cause)] ?? (cause instanceof Error ? cause.message : String(cause))
}

/** errno name of a socket error, or `UNKNOWN`. */
export function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code)
  return 'UNKNOWN'
}

/** Adds one to a count that is kept per errno name. @param code of `errorCode` */
export function countCode(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1)
}
