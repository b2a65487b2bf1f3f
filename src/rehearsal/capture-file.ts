/**
 * Reads a capture file of tcpdump (the classic format, draft-ietf-opsawg-pcap): of all links (`-i any`: LINUX_SLL, LINUX_SLL2), of an
 * Ethernet link, or of bare IP packets. Total: says what it cannot read. Pure.
 */
import type { CapturedPacket } from './packet.ts'

const headerBytes = 24
const recordBytes = 16
const magicMicro = 0xa1b2c3d4
const magicNano = 0xa1b23c4d

/** Length of a link's header by its LINKTYPE, and how the place is told from it: number of the link, and direction. */
const links: Readonly<Record<number, { bytes: number; place: (header: Buffer) => number }>> = {
  // EN10MB: one link.
  1: { bytes: 14, place: () => 0 },
  // RAW.
  101: { bytes: 0, place: () => 0 },
  // LINUX_SLL says the direction and the sender's address, but no number.
  113: { bytes: 16, place: (header) => header.readUInt16BE(0) + 8 * header.readUInt32BE(8) },
  228: { bytes: 0, place: () => 0 },
  229: { bytes: 0, place: () => 0 },
  // LINUX_SLL2.
  276: { bytes: 20, place: (header) => (header[10] as number) + 8 * header.readUInt32BE(4) },
}

/** @returns why the file cannot be read; undefined when it was */
export function readCapture(
  file: Buffer,
  take: (packet: CapturedPacket) => void,
): string | undefined {
  if (file.length < headerBytes) return 'it is no capture file'
  const isLittle = [magicMicro, magicNano].includes(file.readUInt32LE(0))
  const u32 = (at: number) => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
  const magic = u32(0)
  if (magic !== magicMicro && magic !== magicNano)
    return 'it is no capture file of the classic format (tcpdump -w; not pcapng)'
  const link = links[u32(20) & 0xfff_ffff]
  if (link === undefined) return `has packets of link type ${u32(20)}; use tcpdump -i any`
  const parts = magic === magicNano ? 1_000_000 : 1000
  for (let at = headerBytes; at + recordBytes <= file.length; ) {
    const from = at + recordBytes
    const end = from + u32(at + 8)
    if (end > file.length) break
    if (end - from >= link.bytes) {
      const atMs = u32(at) * 1000 + u32(at + 4) / parts
      const place = link.place(file.subarray(from, from + link.bytes))
      const wholeBytes = u32(at + 12) - link.bytes
      take({ atMs, place, bytes: file.subarray(from + link.bytes, end), wholeBytes })
    }
    at = end
  }
  return undefined
}
