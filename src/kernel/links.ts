/** The network interfaces of this namespace, what hangs at them, and word of changes: rtnetlink(7). */

import { Linux } from '../system/linux.ts'
import { MessageFlag, messageHeaderBytes, NetlinkSocket } from '../system/netlink.ts'
import type { SystemCalls, Watch } from '../system/system-calls.ts'
import { systemError } from '../system/system-error.ts'

export interface LinkFact {
  readonly ifindex: number
  readonly name: string
  /** Such as `veth`; empty for a device. */
  readonly kind: string
  /** Index of the bridge whose port it is; 0 for none. */
  readonly master: number
}

const getLink = 18
const getQueueing = 38
/** `struct ifinfomsg` and `struct tcmsg`. */
const linkHeadBytes = 16
const queueingHeadBytes = 20
const Attribute = { name: 3, master: 10, linkInfo: 18, infoKind: 1, queueingKind: 1 } as const
/** RTMGRP_LINK and RTMGRP_TC: interfaces and queueing disciplines that come, go and change. */
const groups = 1 | 8
/** Queueing disciplines that tc's programs hang at. */
const programQueueings = ['clsact', 'ingress']

export class Links {
  private readonly socket: NetlinkSocket

  /** @throws an error with `code` where the kernel refuses the socket */
  constructor(calls: SystemCalls) {
    this.socket = new NetlinkSocket(calls, Linux.netlinkRoute)
  }

  async all(): Promise<LinkFact[]> {
    const found: LinkFact[] = []
    await this.dump(getLink, linkHeadBytes, (body) => {
      const attributes = attributesIn(body.subarray(linkHeadBytes))
      const info = attributesIn(attributes.get(Attribute.linkInfo) ?? Buffer.alloc(0))
      found.push({
        ifindex: body.readInt32LE(4),
        name: textOf(attributes.get(Attribute.name)),
        kind: textOf(info.get(Attribute.infoKind)),
        master: attributes.get(Attribute.master)?.readUInt32LE() ?? 0,
      })
    })
    return found
  }

  /** Interfaces with a queueing discipline that may hold programs of tc. */
  async withClassifiers(): Promise<Set<number>> {
    const found = new Set<number>()
    await this.dump(getQueueing, queueingHeadBytes, (body) => {
      const kind = textOf(
        attributesIn(body.subarray(queueingHeadBytes)).get(Attribute.queueingKind),
      )
      if (programQueueings.includes(kind)) found.add(body.readInt32LE(4))
    })
    return found
  }

  async close(): Promise<void> {
    await this.socket.close()
  }

  private async dump(type: number, headBytes: number, take: (body: Buffer) => void): Promise<void> {
    const message = Buffer.alloc(messageHeaderBytes + headBytes)
    message.writeUInt32LE(message.length, 0)
    message.writeUInt16LE(type, 4)
    message.writeUInt16LE(0x1 | MessageFlag.dump, 6)
    const result = await this.socket.dump(
      message,
      () =>
        ({ body }) =>
          take(body),
    )
    if (!result.ok)
      throw Object.assign(new Error(`rtnetlink: ${result.why}`), { code: result.code })
  }
}

/** Calls back after each change of an interface. @returns what ends it @throws an error with `code` */
export function watchLinks(calls: SystemCalls, onChange: () => void): Watch & { fd: number } {
  const type = Linux.sockRaw | Linux.sockCloExec | Linux.sockNonBlock
  const fd = calls.socket(Linux.afNetlink, type, Linux.netlinkRoute)
  if (fd < 0) throw systemError('socket(AF_NETLINK)', -fd)
  // struct sockaddr_nl: family, port, groups.
  const address = Buffer.alloc(12)
  address.writeUInt16LE(Linux.afNetlink, 0)
  address.writeUInt32LE(groups, 8)
  const bound = calls.bind(fd, address)
  if (bound < 0) {
    calls.closeDescriptor(fd)
    throw systemError('bind(AF_NETLINK)', -bound)
  }
  const input = Buffer.allocUnsafeSlow(16_384)
  const watch = calls.watch(fd, () => {
    // ENOBUFS, when more came than fits, is news as well.
    while (calls.receive(fd, input) > 0);
    onChange()
  })
  return { ...watch, fd }
}

function attributesIn(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at)
    if (length < 4) break
    // The two uppermost bits are flags.
    found.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length))
    at += (length + 3) & ~3
  }
  return found
}

function textOf(value: Buffer | undefined): string {
  if (value === undefined) return ''
  const end = value.indexOf(0)
  return value.toString('latin1', 0, end < 0 ? value.length : end)
}
