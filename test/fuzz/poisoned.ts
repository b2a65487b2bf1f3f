/**
 * Two buffers that hold the same packet in front of different octets. Whatever a parser makes of the packet must be the
 * same for both: if it is not, it has looked behind the end.
 */
export class PoisonedPair {
  readonly first: Buffer
  readonly second: Buffer
  private packetBytes = 0

  /** @param bytesMax the longest packet */
  constructor(bytesMax: number) {
    this.first = Buffer.alloc(bytesMax + 512, 0xc0)
    this.second = Buffer.alloc(bytesMax + 512, 0x01)
  }

  set(packet: Uint8Array, packetBytes: number): void {
    for (const [buffer, poison] of [
      [this.first, 0xc0],
      [this.second, 0x01],
    ] as const) {
      buffer.set(packet.subarray(0, packetBytes))
      if (this.packetBytes > packetBytes) buffer.fill(poison, packetBytes, this.packetBytes)
    }
    this.packetBytes = packetBytes
  }
}
