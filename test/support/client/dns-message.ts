/**
 * Plain reading and writing of DNS messages for tests: slow, strict, and written apart from src/wire so that it
 * can judge it. Names are text with \DDD for octets that are not printable and for dots inside a label; letters
 * keep their case. Record data come out as comparable text in which compressed names are whole. RFC 1035, 6891.
 */
export interface ReadRecord {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttl: number
  /** Addresses and names in words, everything else in hex. */
  readonly data: string
}

export interface ReadMessage {
  readonly id: number
  readonly flags: number
  readonly qr: boolean
  readonly opcode: number
  readonly aa: boolean
  readonly tc: boolean
  readonly rd: boolean
  readonly ra: boolean
  readonly ad: boolean
  readonly cd: boolean
  readonly rcode: number
  readonly questions: readonly {
    readonly name: string
    readonly type: number
    readonly class: number
  }[]
  readonly answers: readonly ReadRecord[]
  readonly authorities: readonly ReadRecord[]
  /** Without OPT. */
  readonly additionals: readonly ReadRecord[]
  readonly opt: { readonly size: number; readonly ttl: number; readonly data: string } | undefined
}

export const typeNumbers = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DS: 43,
  SVCB: 64,
  HTTPS: 65,
  AXFR: 252,
  ANY: 255,
} as const
export type TypeName = keyof typeof typeNumbers

export interface QueryOptions {
  readonly id?: number
  /** Recursion desired; on unless said otherwise. */
  readonly rd?: boolean
  readonly cd?: boolean
  readonly ad?: boolean
  /** Adds an OPT record with this payload size. */
  readonly ednsBytes?: number
  readonly do?: boolean
}

/** A query as octets. `name` may be escaped; the last dot is optional. */
export function writeQuery(
  name: string,
  type: TypeName | number,
  options: QueryOptions = {},
): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(options.id ?? Math.floor(Math.random() * 65536), 0)
  const bits =
    (options.rd === false ? 0 : 0x0100) | (options.ad ? 0x20 : 0) | (options.cd ? 0x10 : 0)
  header.writeUInt16BE(bits, 2)
  header.writeUInt16BE(1, 4)
  const fixed = Buffer.alloc(4)
  fixed.writeUInt16BE(typeof type === 'number' ? type : typeNumbers[type], 0)
  fixed.writeUInt16BE(1, 2)
  const parts = [header, writeName(name), fixed]
  if (options.ednsBytes !== undefined) {
    header.writeUInt16BE(1, 10)
    const opt = Buffer.alloc(11)
    opt.writeUInt16BE(41, 1)
    opt.writeUInt16BE(options.ednsBytes, 3)
    opt.writeUInt16BE(options.do ? 0x8000 : 0, 7)
    parts.push(opt)
  }
  return Buffer.concat(parts)
}

/** Reads a whole message; throws on anything that is not exactly one well-formed message. */
export function readMessage(wire: Buffer): ReadMessage {
  const flags = wire.readUInt16BE(2)
  const cursor = { at: 12 }
  const questions = repeat(wire.readUInt16BE(4), () => {
    const name = readName(wire, cursor)
    cursor.at += 4
    return { name, type: wire.readUInt16BE(cursor.at - 4), class: wire.readUInt16BE(cursor.at - 2) }
  })
  const answers = repeat(wire.readUInt16BE(6), () => readRecord(wire, cursor))
  const authorities = repeat(wire.readUInt16BE(8), () => readRecord(wire, cursor))
  const last = repeat(wire.readUInt16BE(10), () => readRecord(wire, cursor))
  if (cursor.at !== wire.length)
    throw new Error(`${wire.length - cursor.at} octets after the message`)
  const opt = last.find((record) => record.type === 41)
  return {
    id: wire.readUInt16BE(0),
    flags,
    qr: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    aa: (flags & 0x0400) !== 0,
    tc: (flags & 0x0200) !== 0,
    rd: (flags & 0x0100) !== 0,
    ra: (flags & 0x80) !== 0,
    ad: (flags & 0x20) !== 0,
    cd: (flags & 0x10) !== 0,
    rcode: flags & 15,
    questions,
    answers,
    authorities,
    additionals: last.filter((record) => record.type !== 41),
    opt: opt && { size: opt.class, ttl: opt.ttl, data: opt.data },
  }
}

/** Text to wire form: `a\.b.example` has the label `a.b`. */
export function writeName(name: string): Buffer {
  const octets: number[] = []
  let label: number[] = []
  const endLabel = () => {
    if (label.length > 0) octets.push(label.length, ...label)
    label = []
  }
  for (let i = 0; i < name.length; i++) {
    const char = name.charAt(i)
    if (char === '.') endLabel()
    else if (char !== '\\') label.push(char.charCodeAt(0))
    else if (/^\d{3}$/.test(name.slice(i + 1, i + 4))) {
      label.push(Number(name.slice(i + 1, i + 4)))
      i += 3
    } else {
      label.push(name.charCodeAt(i + 1))
      i += 1
    }
  }
  endLabel()
  return Buffer.from([...octets, 0])
}

interface Cursor {
  at: number
}

function readRecord(wire: Buffer, cursor: Cursor): ReadRecord {
  const name = readName(wire, cursor)
  const type = wire.readUInt16BE(cursor.at)
  const recordClass = wire.readUInt16BE(cursor.at + 2)
  const ttl = wire.readUInt32BE(cursor.at + 4)
  const start = cursor.at + 10
  const end = start + wire.readUInt16BE(cursor.at + 8)
  if (end > wire.length) throw new Error('record data beyond the end')
  cursor.at = end
  return { name, type, class: recordClass, ttl, data: readData(wire, type, start, end) }
}

function readData(wire: Buffer, type: number, start: number, end: number): string {
  const cursor = { at: start }
  switch (type) {
    case typeNumbers.A:
      return [...wire.subarray(start, end)].join('.')
    case typeNumbers.AAAA:
      return wire
        .subarray(start, end)
        .toString('hex')
        .replace(/(.{4})(?=.)/g, '$1:')
    case typeNumbers.NS:
    case typeNumbers.CNAME:
    case typeNumbers.PTR:
    case typeNumbers.MD:
    case typeNumbers.MF:
    case typeNumbers.MB:
    case typeNumbers.MG:
    case typeNumbers.MR:
      return readName(wire, cursor)
    case typeNumbers.MINFO:
      return `${readName(wire, cursor)} ${readName(wire, cursor)}`
    case typeNumbers.MX:
      cursor.at += 2
      return `${wire.readUInt16BE(start)} ${readName(wire, cursor)}`
    case typeNumbers.SRV: {
      cursor.at += 6
      const numbers = [0, 2, 4].map((offset) => wire.readUInt16BE(start + offset))
      return `${numbers.join(' ')} ${readName(wire, cursor)}`
    }
    case typeNumbers.SOA: {
      const names = `${readName(wire, cursor)} ${readName(wire, cursor)}`
      const numbers = [0, 4, 8, 12, 16].map((offset) => wire.readUInt32BE(cursor.at + offset))
      return `${names} ${numbers.join(' ')}`
    }
    default:
      return wire.subarray(start, end).toString('hex')
  }
}

/** Leaves the cursor behind the name. A pointer must point backwards, so there are no loops. */
function readName(wire: Buffer, cursor: Cursor): string {
  const start = cursor.at
  let text = ''
  for (;;) {
    const length = wire.readUInt8(cursor.at)
    const next = cursor.at + 1 + length
    if (length >= 0xc0) {
      const target = wire.readUInt16BE(cursor.at) & 0x3fff
      if (target >= start) throw new Error('compression pointer forwards')
      cursor.at += 2
      return text + dotless(readName(wire, { at: target }), text)
    }
    if (length > 63 || next > wire.length) throw new Error(`bad label of length ${length}`)
    if (length === 0) {
      cursor.at = next
      return text === '' ? '.' : text
    }
    text += `${escapeLabel(wire.subarray(cursor.at + 1, next))}.`
    cursor.at = next
  }
}

/** The root after labels adds nothing: each label already ends in a dot. */
function dotless(rest: string, before: string): string {
  return rest === '.' && before !== '' ? '' : rest
}

function escapeLabel(label: Buffer): string {
  let text = ''
  for (const octet of label) {
    const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c
    text += plain ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`
  }
  return text
}

function repeat<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}
