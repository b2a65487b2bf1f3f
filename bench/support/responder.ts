/**
 * The scripted upstream of the benches: each name says which answer it gets, so that client and upstream agree without a
 * table. `a<records>-...` has that many A records, everything else does not exist. Pure: octets in, octets out.
 */

const headerBytes = 12
const recordBytes = 16
const ednsOff = 512

/** RFC 2308 times of everything that is denied, seconds. */
const soaTimes = [1, 7200, 1800, 86_400, 30]

export interface ScriptedReply {
  /** Shared with the next reply: send or copy it before that. */
  readonly bytes: Buffer
  readonly length: number
}

/** Room for the largest message there is. */
const out = Buffer.alloc(65_535)

/**
 * Answers a query of the benches' own clients or of a forwarder; nothing else may be sent here.
 * @param bytesMax what the transport takes: 65,535 over TCP; over UDP the query's EDNS size counts as well
 */
export function scriptedReply(query: Buffer, bytesMax: number, ttlSeconds = 60): ScriptedReply {
  const questionEnd = endOfQuestion(query)
  const records = recordsWanted(query)
  query.copy(out, 0, 0, questionEnd)
  out.writeUInt16BE(0x8580, 2)
  out.writeUInt16BE(1, 4)
  out.writeUInt32BE(0, 6)
  out.writeUInt16BE(0, 10)
  const limit = Math.min(bytesMax, bytesMax === 65_535 ? bytesMax : udpBytes(query, questionEnd))
  if (records === 0) return deny(questionEnd)
  const length = questionEnd + records * recordBytes
  if (length > limit) {
    out.writeUInt8(out.readUInt8(2) | 0x02, 2)
    return { bytes: out, length: questionEnd }
  }
  out.writeUInt16BE(records, 6)
  for (let i = 0; i < records; i++) writeAddress(questionEnd + i * recordBytes, ttlSeconds, i)
  return { bytes: out, length }
}

/** The digits behind a leading `a`; 0 for every other name. */
export function recordsWanted(query: Buffer): number {
  if (query.readUInt8(headerBytes + 1) !== 0x61) return 0
  let records = 0
  for (let at = headerBytes + 2; ; at++) {
    const digit = query.readUInt8(at) - 0x30
    if (digit < 0 || digit > 9) return records
    records = records * 10 + digit
  }
}

function endOfQuestion(query: Buffer): number {
  let at = headerBytes
  while (query.readUInt8(at) !== 0) at += query.readUInt8(at) + 1
  return at + 5
}

/** Payload size of an OPT record that follows the question at once, as it does in all our queries. */
function udpBytes(query: Buffer, questionEnd: number): number {
  if (query.readUInt16BE(10) === 0 || query.length < questionEnd + 11) return ednsOff
  return Math.max(ednsOff, query.readUInt16BE(questionEnd + 3))
}

function writeAddress(at: number, ttlSeconds: number, number: number): void {
  out.writeUInt16BE(0xc00c, at)
  out.writeUInt32BE(0x0001_0001, at + 2)
  out.writeUInt32BE(ttlSeconds, at + 6)
  out.writeUInt16BE(4, at + 10)
  out.writeUInt32BE(0xc633_6400 + (number & 0xff), at + 12)
}

/** NXDOMAIN with the SOA of the name's last two labels. */
function deny(questionEnd: number): ScriptedReply {
  out.writeUInt8(0x83, 3)
  out.writeUInt16BE(1, 8)
  const zone = 0xc000 | zoneOffset(questionEnd)
  let at = questionEnd
  at = out.writeUInt16BE(zone, at)
  at = out.writeUInt32BE(0x0006_0001, at)
  at = out.writeUInt32BE(30, at)
  at = out.writeUInt16BE(24, at)
  at = out.writeUInt16BE(zone, at)
  at = out.writeUInt16BE(zone, at)
  for (const seconds of soaTimes) at = out.writeUInt32BE(seconds, at)
  return { bytes: out, length: at }
}

function zoneOffset(questionEnd: number): number {
  const labels: number[] = []
  for (let at = headerBytes; at < questionEnd - 5; at += out.readUInt8(at) + 1) labels.push(at)
  return labels.at(-2) ?? headerBytes
}
