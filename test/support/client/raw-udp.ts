/** UDP packets with a made-up source, for what ordinary sockets refuse to send. Needs root and gcc. */
import { join } from 'node:path'
import { buildC } from '../build.ts'
import { mustRun } from '../process.ts'

export interface RawPacket {
  readonly from: { readonly host: string; readonly port: number }
  readonly to: { readonly host: string; readonly port: number }
  readonly payload: Uint8Array
}

/** Sends the packets in order and returns when the kernel has them all. IPv4 only. */
export async function sendRawUdp(packets: readonly RawPacket[], netns?: string): Promise<void> {
  const program = await buildC(join(import.meta.dirname, '../programs', 'raw-udp.c'), 'gcc')
  const lines = packets.map(
    ({ from, to, payload }) =>
      `${from.host} ${from.port} ${to.host} ${to.port} ${Buffer.from(payload).toString('hex')}\n`,
  )
  await mustRun(program, [], { netns, stdin: lines.join('') })
}
