/**
 * A packet socket (packet(7)): sees the DNS packets of all links of this network namespace, beside their way. Sends nothing and changes
 * nothing on the node. Needs CAP_NET_RAW. Packets begin at their IP headers.
 */
import { Linux } from './linux.ts'
import { dnsFilter } from './packet-filter.ts'
import type { SystemCalls, Watch } from './system-calls.ts'
import { systemError } from './system-error.ts'

/** One packet; the view is overwritten by the next read. */
export interface SeenPacket {
  /** Of the kernel, milliseconds since 1970. */
  readonly atMs: number
  /** Number of the link, and the direction there. */
  readonly place: number
  readonly bytes: Buffer
  /** More than `bytes` has when the packet was longer than the buffer; by how much is not known. */
  readonly wholeBytes: number
}

export interface PacketCounts {
  /** Packets that passed the filter, those that were dropped included. */
  readonly packets: number
  /** Those for which there was no room. */
  readonly dropped: number
}

const slots = 64
/** Batches read before the loop gets its turn. */
const batchesPerTurn = 8
/** Longer than any DNS message that is sent over UDP in one piece; loopback takes 64 KiB. */
const packetBytesMax = 9000
/** A second of 20,000 small packets, 768 bytes each for the kernel. As much of it as net.core.rmem_max allows. */
const receiveBufferBytes = 16_777_216

// struct mmsghdr, bytes
const headerBytes = 64
const [flagsAt, lengthAt] = [48, 56] as const
const iovecBytes = 16
/** struct sockaddr_ll is 20. */
const nameBytes = 32
/** CMSG_SPACE(sizeof(struct timespec)). */
const controlBytes = 32
const namesFrom = slots * (headerBytes + iovecBytes)
const controlsFrom = namesFrom + slots * nameBytes
const packetsFrom = controlsFrom + slots * controlBytes
const arenaBytes = packetsFrom + slots * packetBytesMax

export class PacketSocket {
  private readonly calls: SystemCalls
  private readonly fd: number
  private readonly memory = Buffer.from(new ArrayBuffer(arenaBytes))
  private readonly headers = this.memory.subarray(0, slots * headerBytes)
  private watch: Watch | undefined
  private packets = 0
  private dropped = 0

  /** @throws an error with `code`: EPERM without CAP_NET_RAW */
  constructor(calls: SystemCalls) {
    this.calls = calls
    // Protocol 0: nothing comes in before the filter is there.
    const type = Linux.sockDgram | Linux.sockNonBlock | Linux.sockCloExec
    this.fd = calls.socket(Linux.afPacket, type, 0)
    if (this.fd < 0) throw systemError('socket(AF_PACKET)', -this.fd)
    this.link()
    try {
      this.filter()
      this.option(Linux.soTimestampNs, 1)
      this.growBuffer()
      this.bind()
    } catch (error) {
      calls.closeDescriptor(this.fd)
      throw error
    }
  }

  /** Hands on each packet as it comes. @param onPacket must not throw */
  start(onPacket: (packet: SeenPacket) => void): void {
    this.watch ??= this.calls.watch(this.fd, () => {
      for (let batch = 0; batch < batchesPerTurn; batch++)
        if (this.readBatch(onPacket) < slots) return
    })
  }

  /** Reads what is there already. */
  drain(onPacket: (packet: SeenPacket) => void): void {
    while (this.readBatch(onPacket) === slots);
  }

  /** Since the socket was opened. */
  counts(): PacketCounts {
    // The kernel's numbers begin anew with each reading.
    const statistics = Buffer.alloc(8)
    this.calls.getOption(this.fd, Linux.solPacket, Linux.packetStatistics, statistics)
    this.packets += statistics.readUInt32LE(0)
    this.dropped += statistics.readUInt32LE(4)
    return { packets: this.packets, dropped: this.dropped }
  }

  async close(): Promise<void> {
    await this.watch?.close()
    this.calls.closeDescriptor(this.fd)
  }

  /** @returns how many packets there were */
  private readBatch(onPacket: (packet: SeenPacket) => void): number {
    const { memory } = this
    for (let slot = 0; slot < slots; slot++)
      memory.writeUInt32LE(controlBytes, slot * headerBytes + 40)
    const count = this.calls.receiveMessages(this.fd, this.headers, slots)
    for (let slot = 0; slot < count; slot++) onPacket(this.packetIn(slot))
    return count
  }

  private packetIn(slot: number): SeenPacket {
    const { memory } = this
    const header = slot * headerBytes
    const length = memory.readUInt32LE(header + lengthAt)
    const isCut = (memory.readUInt32LE(header + flagsAt) & Linux.msgTrunc) !== 0
    const name = namesFrom + slot * nameBytes
    const control = controlsFrom + slot * controlBytes
    const seconds = Number(memory.readBigInt64LE(control + 16))
    const from = packetsFrom + slot * packetBytesMax
    return {
      atMs: seconds * 1000 + Number(memory.readBigInt64LE(control + 24)) / 1_000_000,
      // Beside the number of the link: whether the packet comes or goes.
      place: memory.readInt32LE(name + 4) * 8 + (memory[name + 10] as number),
      bytes: memory.subarray(from, from + length),
      wholeBytes: isCut ? length + 1 : length,
    }
  }

  /** Connects the headers with what they point to. */
  private link(): void {
    const { memory } = this
    const base = this.calls.addressOf(memory)
    const pointer = (at: number) => base + BigInt(at)
    for (let slot = 0; slot < slots; slot++) {
      const header = slot * headerBytes
      const iovec = slots * headerBytes + slot * iovecBytes
      memory.writeBigUInt64LE(pointer(namesFrom + slot * nameBytes), header)
      memory.writeUInt32LE(nameBytes, header + 8)
      memory.writeBigUInt64LE(pointer(iovec), header + 16)
      memory.writeBigUInt64LE(1n, header + 24)
      memory.writeBigUInt64LE(pointer(controlsFrom + slot * controlBytes), header + 32)
      memory.writeBigUInt64LE(pointer(packetsFrom + slot * packetBytesMax), iovec)
      memory.writeUInt32LE(packetBytesMax, iovec + 8)
    }
  }

  private filter(): void {
    const program = dnsFilter()
    // struct sock_fprog: number of instructions, pointer.
    const description = Buffer.from(new ArrayBuffer(16))
    description.writeUInt16LE(program.length / 8)
    description.writeBigUInt64LE(this.calls.addressOf(program), 8)
    const { solSocket, soAttachFilter } = Linux
    const result = this.calls.setOption(this.fd, solSocket, soAttachFilter, description)
    if (result < 0) throw systemError('setsockopt(SO_ATTACH_FILTER)', -result)
  }

  private growBuffer(): void {
    // Past the limit only with CAP_NET_ADMIN, which is not needed.
    if (this.option(Linux.soRcvBufForce, receiveBufferBytes) < 0)
      this.option(Linux.soRcvBuf, receiveBufferBytes)
  }

  private option(option: number, value: number): number {
    const bytes = new Uint8Array(Int32Array.of(value).buffer)
    return this.calls.setOption(this.fd, Linux.solSocket, option, bytes)
  }

  /** To all links. */
  private bind(): void {
    const name = Buffer.alloc(20)
    name.writeUInt16LE(Linux.afPacket)
    name.writeUInt16BE(Linux.ethernetAll, 2)
    const result = this.calls.bind(this.fd, name)
    if (result < 0) throw systemError('bind(AF_PACKET)', -result)
  }
}
