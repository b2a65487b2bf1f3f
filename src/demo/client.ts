/**
 * One look-up of a pod: a datagram from a fresh port, one reply, a timeout of five seconds as in glibc. Never retries, so that
 * each question counts once.
 */

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { u8, u16 } from '../wire/bytes.ts'
import { EdnsOption, Rcode } from '../wire/constants.ts'
import { decodeMessage, encodeQuery } from '../wire/message.ts'

export type AddressType = 'A' | 'AAAA'

export interface DemoReply {
  /** -1 when no reply came in time. */
  readonly rcode: number
  /** Addresses in text. */
  readonly addresses: readonly string[]
  /** Extended error (RFC 8914) that the reply carries; -1 for none. */
  readonly extendedError: number
  readonly tookMs: number
}

const patienceMs = 5000

/** Asks the server on 127.0.0.1. Never rejects, whatever the server does. */
export function ask(port: number, name: string, type: AddressType): Promise<DemoReply> {
  const query = encodeQuery({ name, type, id: randomInt(0x1_0000) })
  const socket = createSocket('udp4')
  const startedMs = performance.now()
  return new Promise((resolve) => {
    const finish = (reply: Omit<DemoReply, 'tookMs'>) => {
      clearTimeout(timer)
      socket.close()
      resolve({ ...reply, tookMs: performance.now() - startedMs })
    }
    const nothing = { rcode: -1, addresses: [], extendedError: -1 }
    const timer = setTimeout(() => finish(nothing), patienceMs)
    socket.once('error', () => finish(nothing))
    socket.on('message', (message) => {
      if (message.length >= 12 && u16(message, 0) === u16(query, 0)) finish(readReply(message))
    })
    socket.send(query, port, '127.0.0.1')
  })
}

function readReply(message: Buffer): Omit<DemoReply, 'tookMs'> {
  const decoded = decodeMessage(message)
  if (!decoded.ok) return { rcode: Rcode.formerr, addresses: [], extendedError: -1 }
  const { answers = [], additionals = [] } = decoded.message
  const addresses = answers.flatMap((record) =>
    record.type === 'A' || record.type === 'AAAA' ? [record.data] : [],
  )
  const options = additionals.flatMap((record) => (record.type === 'OPT' ? record.options : []))
  const extendedError = options.map(extendedErrorOf).find((code) => code >= 0) ?? -1
  return { rcode: u8(message, 3) & 0x0f, addresses, extendedError }
}

/** The library's types list four option codes; others come as bytes. */
function extendedErrorOf(option: { readonly code: number; readonly data?: unknown }): number {
  const { code, data } = option
  if (code !== EdnsOption.ede || !Buffer.isBuffer(data) || data.length < 2) return -1
  return u16(data, 0)
}
