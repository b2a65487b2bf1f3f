/** Chooses how datagrams are read and written on this machine, and says why. */
import { Linux } from '../system/linux.ts'
import { loadSystemCalls, type SystemCalls } from '../system/system-calls.ts'
import { UnsupportedPlatform } from '../system/system-error.ts'
import { BatchedUdpEndpoint } from './udp-batched.ts'
import type { UdpEndpoint, UdpEndpointOptions } from './udp-endpoint.ts'
import { PortableUdpEndpoint } from './udp-portable.ts'

export type IoMode = 'portable' | 'batched'

/**
 * Why portable sockets are used: because they are configured, or because of a feature that batched ones lack here. `none` goes
 * with batched.
 */
export type IoFallback = 'none' | 'configured' | 'platform' | 'library' | 'kernel'

export interface UdpIo {
  readonly mode: IoMode
  readonly fallback: IoFallback
  /** The missing feature, for people; empty when none is missing. */
  readonly detail: string
  open(options: UdpEndpointOptions): UdpEndpoint
}

/** @throws UnsupportedPlatform when `batched` was asked for and this machine cannot do it */
export function chooseUdpIo(wanted: 'auto' | IoMode, load = loadSystemCalls): UdpIo {
  if (wanted === 'portable') return portable('configured', '')
  try {
    const calls = load()
    probe(calls)
    const open = (options: UdpEndpointOptions) => new BatchedUdpEndpoint(options, calls)
    return { mode: 'batched', fallback: 'none', detail: '', open }
  } catch (error) {
    if (wanted === 'batched' || !(error instanceof UnsupportedPlatform)) throw error
    return portable(error.missing, error.message)
  }
}

function portable(fallback: IoFallback, detail: string): UdpIo {
  const open = (options: UdpEndpointOptions) => new PortableUdpEndpoint(options)
  return { mode: 'portable', fallback, detail, open }
}

/** A kernel or a seccomp profile without `recvmmsg` would otherwise show only at the first query. */
function probe(calls: SystemCalls): void {
  const fd = calls.socket(Linux.afInet, Linux.sockDgram | Linux.sockNonBlock | Linux.sockCloExec)
  const results = [
    calls.receiveMessages(fd, Buffer.alloc(64), 1),
    calls.sendMessages(fd, Buffer.alloc(64), 0),
  ]
  calls.closeDescriptor(fd)
  const [received, sent] = results
  if (received === -Linux.eagain && sent === 0) return
  throw new UnsupportedPlatform(
    'kernel',
    `the kernel refuses recvmmsg or sendmmsg (${received}, ${sent}); a seccomp profile may forbid them`,
  )
}
