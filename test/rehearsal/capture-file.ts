/** Writes files as tcpdump does: of all links (LINUX_SLL2) unless another link type is named. */
interface Written {
  readonly atMs: number
  /** Number of the link times eight, and the direction. */
  readonly place: number
  readonly bytes: Buffer
}

interface Form {
  readonly linkType?: number
  /** Bytes of the link's header. */
  readonly header?: number
  readonly isNano?: boolean
  readonly isBig?: boolean
}

export function captureFile(
  packets: readonly Written[],
  { linkType = 276, header = 20, isNano = false, isBig = false }: Form = {},
): Buffer {
  const words = (...values: readonly number[]) => {
    const made = Buffer.alloc(4 * values.length)
    for (const [i, value] of values.entries())
      if (isBig) made.writeUInt32BE(value, 4 * i)
      else made.writeUInt32LE(value, 4 * i)
    return made
  }
  const magic = isNano ? 0xa1b23c4d : 0xa1b2c3d4
  const perMs = isNano ? 1_000_000 : 1000
  const parts: Buffer[] = [words(magic, 0x0004_0002, 0, 0, 262_144, linkType)]
  for (const { atMs, place, bytes } of packets) {
    const link = Buffer.alloc(header)
    if (header === 20) {
      link.writeUInt32BE(place >>> 3, 4)
      link[10] = place & 7
    }
    const length = header + bytes.length
    const seconds = Math.floor(atMs / 1000)
    parts.push(words(seconds, Math.round((atMs % 1000) * perMs), length, length), link, bytes)
  }
  return Buffer.concat(parts)
}
