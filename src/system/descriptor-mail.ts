/**
 * Sends file descriptors to another process over a connected Unix socket (SCM_RIGHTS, unix(7)), and reads the user at its other
 * end (SO_PEERCRED). A received descriptor is the same open socket: with the kernel's queue, the connections that wait to be
 * accepted, and all options. Layouts of 64-bit little-endian Linux, the same in glibc, musl and the kernel. Never blocks.
 */
import { Linux } from './linux.ts'
import type { SystemCalls } from './system-calls.ts'
import { systemError } from './system-error.ts'

/** The kernel takes 253 in a message (SCM_MAX_FD). */
const perMessageMax = 64

const messageHeaderBytes = 56
const iovecBytes = 16
const controlHeaderBytes = 16
const descriptorBytes = 4

/** Sends descriptors in this order. @throws with errno's name when the other end is gone or its buffer full */
export function sendDescriptors(
  calls: SystemCalls,
  connection: number,
  descriptors: readonly number[],
): void {
  for (let from = 0; from < descriptors.length; from += perMessageMax) {
    const some = descriptors.slice(from, from + perMessageMax)
    const letter = new Letter(calls, some.length)
    for (const [i, fd] of some.entries()) {
      letter.control.writeInt32LE(fd, controlHeaderBytes + descriptorBytes * i)
    }
    const sent = calls.sendMessage(connection, letter.header)
    if (sent < 0) throw systemError('sendmsg', -sent)
  }
}

/**
 * Takes descriptors that the other end has already sent.
 * @returns the received ones, in order: `count`, unless the other end sent fewer. The caller has to close them.
 */
export function receiveDescriptors(
  calls: SystemCalls,
  connection: number,
  count: number,
): readonly number[] {
  const received: number[] = []
  while (received.length < count) {
    const letter = new Letter(calls, perMessageMax)
    const bytes = calls.receiveMessage(connection, letter.header)
    if (bytes <= 0) break
    const some = letter.descriptors()
    if (some.length === 0) break
    received.push(...some)
  }
  return received
}

/** User of the process at the other end of a connected Unix socket; undefined when the kernel does not tell. */
export function peerUser(calls: SystemCalls, connection: number): number | undefined {
  // struct ucred: pid, uid, gid.
  const credentials = Buffer.alloc(12)
  const result = calls.getOption(connection, Linux.solSocket, Linux.soPeerCred, credentials)
  return result < 0 ? undefined : credentials.readUInt32LE(4)
}

/** A `struct msghdr` with one byte of data and room for descriptors, and everything it points to. */
class Letter {
  readonly header: Buffer
  readonly control: Buffer

  constructor(calls: SystemCalls, descriptors: number) {
    const controlBytes = controlHeaderBytes + descriptorBytes * descriptors
    // CMSG_SPACE: rounded up to a word.
    const memory = Buffer.from(new ArrayBuffer(80 + Math.ceil(controlBytes / 8) * 8))
    const base = calls.addressOf(memory)
    const iovecAt = messageHeaderBytes
    const dataAt = iovecAt + iovecBytes
    const controlAt = 80
    this.header = memory.subarray(0, messageHeaderBytes)
    this.control = memory.subarray(controlAt)
    this.header.writeBigUInt64LE(base + BigInt(iovecAt), 16)
    this.header.writeBigUInt64LE(1n, 24)
    this.header.writeBigUInt64LE(base + BigInt(controlAt), 32)
    this.header.writeBigUInt64LE(BigInt(controlBytes), 40)
    memory.writeBigUInt64LE(base + BigInt(dataAt), iovecAt)
    memory.writeBigUInt64LE(1n, iovecAt + 8)
    this.control.writeBigUInt64LE(BigInt(controlBytes), 0)
    this.control.writeInt32LE(Linux.solSocket, 8)
    this.control.writeInt32LE(Linux.scmRights, 12)
  }

  /** The descriptors that a receive has put there. */
  descriptors(): number[] {
    const given = Number(this.header.readBigUInt64LE(40))
    if (given < controlHeaderBytes) return []
    if (this.control.readInt32LE(8) !== Linux.solSocket) return []
    if (this.control.readInt32LE(12) !== Linux.scmRights) return []
    const end = Math.min(Number(this.control.readBigUInt64LE(0)), given)
    const found: number[] = []
    for (let at = controlHeaderBytes; at + descriptorBytes <= end; at += descriptorBytes) {
      found.push(this.control.readInt32LE(at))
    }
    return found
  }
}
