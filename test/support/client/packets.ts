/** Reads the packet fixtures of test/fixtures/packets: comment lines, then octets in hex. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = join(import.meta.dirname, '../../fixtures/packets')

export interface PacketFixture {
  readonly name: string
  /** The verdict from its `# expect:` line. */
  readonly expect: string
  readonly packet: Buffer
}

/** All fixtures of one kind, by name. */
export function readPackets(kind: 'queries' | 'responses'): PacketFixture[] {
  return readdirSync(join(folder, kind))
    .filter((file) => file.endsWith('.hex'))
    .toSorted()
    .map((file) => parse(file, readFileSync(join(folder, kind, file), 'utf8')))
}

function parse(file: string, text: string): PacketFixture {
  const hex = text.replaceAll(/^#.*$/gm, '').replaceAll(/\s/g, '')
  const packet = Buffer.from(hex, 'hex')
  // Buffer.from stops silently at the first octet that is not hex.
  if (packet.length * 2 !== hex.length) throw new Error(`${file}: not hex`)
  return {
    name: basename(file, '.hex'),
    expect: /^# expect: (\S+)$/m.exec(text)?.[1] ?? '',
    packet,
  }
}
