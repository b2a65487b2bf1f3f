/**
 * Sockets made by system calls, so that their descriptors are known: for the batched endpoint, and for handing sockets over to
 * another process. Closes a socket that cannot be bound. Reads from none.
 */

import { BindError, type ListenAddress, type ListenTransport } from './bind.ts'
import { Linux } from './linux.ts'
import { localAddressOption } from './message-batch.ts'
import { encodeName, nameBytesOf, portOf } from './socket-name.ts'
import type { SystemCalls } from './system-calls.ts'
import { systemError } from './system-error.ts'

/** The value that Node requests; the kernel caps it at net.core.somaxconn. */
const backlog = 511

/**
 * @param isShared several sockets have the address, and the kernel distributes datagrams among them (SO_REUSEPORT, socket(7))
 * @throws BindError; then nothing is left open
 */
export function openUdpSocket(
  calls: SystemCalls,
  address: ListenAddress,
  isShared = false,
): number {
  const socket = new NewSocket(calls, 'udp', address)
  if (isShared) sharePort(calls, socket.fd)
  calls.setOption(socket.fd, ...localAddressOption(address.family), on)
  socket.bind()
  return socket.fd
}

/** Lets other sockets of this user bind to the address as well; also works on a bound socket. */
export function sharePort(calls: SystemCalls, fd: number): void {
  calls.setOption(fd, Linux.solSocket, Linux.soReusePort, on)
}

/** A socket that listens. @throws BindError; then nothing is left open */
export function openTcpSocket(calls: SystemCalls, address: ListenAddress): number {
  const socket = new NewSocket(calls, 'tcp', address)
  // A previous process's connections in TIME_WAIT must not keep us from binding.
  calls.setOption(socket.fd, Linux.solSocket, Linux.soReuseAddr, on)
  socket.bind()
  socket.check('listen', calls.listen(socket.fd, backlog))
  return socket.fd
}

/** The port that the kernel chose, or was given. */
export function boundPort(calls: SystemCalls, fd: number, family: 4 | 6): number {
  const name = Buffer.alloc(nameBytesOf(family))
  calls.getSocketName(fd, name)
  return portOf(name, 0)
}

const on = new Uint8Array(Int32Array.of(1).buffer)

class NewSocket {
  readonly fd: number
  private readonly calls: SystemCalls
  private readonly transport: ListenTransport
  private readonly address: ListenAddress
  private readonly domain: number

  constructor(calls: SystemCalls, transport: ListenTransport, address: ListenAddress) {
    this.calls = calls
    this.transport = transport
    this.address = address
    this.domain = address.family === 4 ? Linux.afInet : Linux.afInet6
    const type = transport === 'udp' ? Linux.sockDgram : Linux.sockStream
    this.fd = calls.socket(this.domain, type | Linux.sockNonBlock | Linux.sockCloExec)
    this.check('socket', Math.min(this.fd, 0))
    // So that [::] and 0.0.0.0 are two sockets, each with senders of its own family.
    if (address.family === 6) calls.setOption(this.fd, Linux.solIpv6, Linux.ipv6V6Only, on)
  }

  bind(): void {
    this.check('bind', this.calls.bind(this.fd, encodeName(this.address, this.domain)))
  }

  /** @param result of a system call: 0, or -errno */
  check(call: string, result: number): void {
    if (result === 0) return
    if (this.fd >= 0) this.calls.closeDescriptor(this.fd)
    throw new BindError(this.transport, this.address, systemError(call, -result))
  }
}
