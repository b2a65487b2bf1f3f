/** Asks one name of a walk for real, as a pod would, and times it. */
import { randomInt } from 'node:crypto'
import type { Endpoint } from '../../address/endpoint.ts'
import { decodeMessage, encodeQuery } from '../../wire/message.ts'
import { recordLine } from '../../wire/record-text.ts'
import { rcodeOf } from '../answer-text.ts'
import { askTcp, askUdp } from '../ask-server.ts'
import type { Asked } from './walk-text.ts'

/** As a stub resolver waits. */
const timeoutMs = 5000
const truncated = 0x02

/** @param type in the codec's spelling */
export async function askStep(name: string, type: string, server: Endpoint): Promise<Asked> {
  const query = encodeQuery({ name, type, id: randomInt(65_536) })
  const begun = performance.now()
  const first = await askUdp(query, server, timeoutMs)
  const isCut = first.ok && (first.bytes.readUInt8(2) & truncated) !== 0
  const reply = isCut ? await askTcp(query, server, timeoutMs) : first
  const tookMs = performance.now() - begun
  if (!reply.ok) return { rcode: undefined, why: reply.why, records: [], tookMs }
  const decoded = decodeMessage(reply.bytes)
  if (!decoded.ok) return { rcode: undefined, why: decoded.why, records: [], tookMs }
  const { message } = decoded
  const records = (message.answers ?? []).map(recordLine)
  return { rcode: rcodeOf(message), why: undefined, records, tookMs }
}
