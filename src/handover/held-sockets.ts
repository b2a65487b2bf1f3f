/**
 * The listening sockets of a process that may hand them over: their descriptors are known, because the process made them itself
 * or got them from its predecessor. A listener gets a duplicate and closes that; the socket lives until all its descriptors are
 * closed. Reads from none of them.
 */
import { formatEndpoint } from '../address/endpoint.ts'
import { errorCode, freePortTriesMax, type ListenAddress } from '../system/bind.ts'
import { boundPort, openTcpSocket, openUdpSocket, sharePort } from '../system/open-socket.ts'
import type { SystemCalls } from '../system/system-calls.ts'

export const socketKinds = ['udp', 'tcp', 'admin'] as const
export type SocketKind = (typeof socketKinds)[number]

export interface HeldSocket {
  readonly kind: SocketKind
  /** Address as configured: port 0 stays 0. */
  readonly wanted: string
  /** From 0; UDP only: several sockets of one address, one for each worker. */
  readonly number: number
  readonly fd: number
}

/** The part of the configuration that concerns sockets. */
export interface ListeningConfig {
  readonly listen: readonly ListenAddress[]
  readonly admin: { readonly listen: readonly ListenAddress[] }
}

interface NewHeldSocket extends Pick<HeldSocket, 'kind' | 'number'> {
  readonly wanted: ListenAddress
  readonly at: ListenAddress
}

export interface OpenedSocket {
  /** The caller's own descriptor. */
  readonly fd: number
  /** With the real port. */
  readonly address: ListenAddress
}

export class HeldSockets {
  private readonly calls: SystemCalls
  private held: HeldSocket[] = []

  constructor(calls: SystemCalls) {
    this.calls = calls
  }

  get all(): readonly HeldSocket[] {
    return this.held
  }

  /** Takes over the sockets that a predecessor has sent. */
  adopt(sockets: readonly HeldSocket[]): void {
    this.held.push(...sockets)
  }

  /**
   * A socket of an address, created if there is none yet.
   * @param at with another port than `wanted`, when UDP follows the port that TCP got
   * @throws BindError
   */
  obtain(kind: SocketKind, wanted: ListenAddress, at = wanted, number = 0): OpenedSocket {
    const { calls } = this
    const held =
      this.find(kind, formatEndpoint(wanted), number) ?? this.open({ kind, wanted, at, number })
    const address = { ...wanted, port: boundPort(calls, held.fd, wanted.family) }
    return { ...this.duplicate(held), address }
  }

  /** Another descriptor of the same socket, for a listener. */
  duplicate({ fd }: HeldSocket): { readonly fd: number } {
    return { fd: this.calls.duplicate(fd) }
  }

  /** @param name the address as configured */
  find(kind: SocketKind, name: string, number: number): HeldSocket | undefined {
    return this.held.find(
      (one) => one.kind === kind && one.wanted === name && one.number === number,
    )
  }

  private open({ kind, wanted, at, number }: NewHeldSocket): HeldSocket {
    const { calls } = this
    const first = number > 0 ? this.find(kind, formatEndpoint(wanted), 0) : undefined
    if (first !== undefined) sharePort(calls, first.fd)
    const fd =
      kind === 'udp' ? openUdpSocket(calls, at, first !== undefined) : openTcpSocket(calls, at)
    const held = { kind, wanted: formatEndpoint(wanted), number, fd }
    this.held.push(held)
    return held
  }

  /**
   * UDP and TCP of one address, on one port.
   * @param tries for a port that is free for both, when the kernel chooses
   * @throws BindError; then nothing of the address is left open
   */
  obtainBoth(
    wanted: ListenAddress,
    number = 0,
    tries = freePortTriesMax,
  ): { readonly udp: OpenedSocket; readonly tcp: OpenedSocket } {
    const tcp = this.obtain('tcp', wanted)
    try {
      return { tcp, udp: this.obtain('udp', wanted, tcp.address, number) }
    } catch (error) {
      this.calls.closeDescriptor(tcp.fd)
      this.keepOnly(({ kind, wanted: name }) => kind === 'admin' || name !== formatEndpoint(wanted))
      const anotherMayBeFree = wanted.port === 0 && errorCode(error) === 'EADDRINUSE'
      if (!anotherMayBeFree || tries === 1) throw error
      return this.obtainBoth(wanted, number, tries - 1)
    }
  }

  /** Closes descriptors from `obtain` that no listener uses. */
  forget(opened: Readonly<Record<string, OpenedSocket>>): void {
    for (const { fd } of Object.values(opened)) this.calls.closeDescriptor(fd)
  }

  /** Closes our descriptors of sockets that are not wanted; holders of a duplicate are not affected. */
  keepOnly(isWanted: (socket: HeldSocket) => boolean): void {
    for (const socket of this.held) {
      if (!isWanted(socket)) this.calls.closeDescriptor(socket.fd)
    }
    this.held = this.held.filter(isWanted)
  }

  /** Closes sockets that a changed configuration no longer wants. */
  keepFor({ listen, admin }: ListeningConfig): void {
    const servers = new Set(listen.map(formatEndpoint))
    const pages = new Set(admin.listen.map(formatEndpoint))
    this.keepOnly(({ kind, wanted }) => (kind === 'admin' ? pages : servers).has(wanted))
  }

  close(): void {
    this.keepOnly(() => false)
  }
}
