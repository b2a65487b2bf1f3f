/**
 * Replies of the scripted upstreams, put together by hand and not by src/wire, which they are to judge. Records are
 * written as in a zone file, `NAME TTL TYPE DATA`; what has no words here comes as octets.
 */
import { typeNumbers, writeName } from '../../support/client/dns-message.ts'
import type { FakeQuery } from '../../upstream/fake-upstream.ts'

/** A record whose data come as they are on the wire; the owner too, if it is octets (a pointer). */
export interface RawRecord {
  readonly owner: string | Buffer
  readonly ttl: number
  readonly type: number
  readonly data: Buffer
}

export type RecordText = string | RawRecord

export interface Content {
  readonly rcode?: number
  readonly aa?: boolean
  /** On unless said otherwise, as a recursive resolver has it. */
  readonly ra?: boolean
  readonly tc?: boolean
  readonly answers?: readonly RecordText[]
  readonly authorities?: readonly RecordText[]
  readonly additionals?: readonly RecordText[]
  /** Data of an OPT record in the reply, with its extended rcode: none unless the query had one. */
  readonly opt?: { readonly rcode: number; readonly data?: Buffer }
  /** Owners equal to the question are pointers to it, unless this is false. */
  readonly compressed?: boolean
}

/** Where the question's name is in every message. */
export const toQuestion = Buffer.from([0xc0, 12])

export function message(query: FakeQuery, content: Content): Buffer {
  const { rcode = 0, aa = false, ra = true, tc = false, opt } = content
  const head = Buffer.from(query.message.subarray(0, query.questionEnd))
  head[2] = 0x80 | (head.readUInt8(2) & 1) | (aa ? 4 : 0) | (tc ? 2 : 0)
  head[3] = (ra ? 0x80 : 0) | (rcode & 15)
  const { answers = [], authorities = [], additionals = [] } = content
  const withOpt = opt !== undefined || query.hasOpt
  head.writeUInt16BE(answers.length, 6)
  head.writeUInt16BE(authorities.length, 8)
  head.writeUInt16BE(additionals.length + (withOpt ? 1 : 0), 10)
  const owner = content.compressed === false ? undefined : query.qname.toLowerCase()
  const records = [...answers, ...authorities, ...additionals].map((one) => record(one, owner))
  return Buffer.concat([head, ...records, ...(withOpt ? [optRecord(opt)] : [])])
}

/** The header and question of a query as a reply that says `rcode` and nothing else, OPT or not. */
export function bare(query: FakeQuery, rcode: number, flags = 0x8180): Buffer {
  const reply = Buffer.from(query.message.subarray(0, query.questionEnd))
  reply.writeUInt16BE(flags | rcode, 2)
  reply.fill(0, 6, 12)
  return reply
}

/** Twelve octets and no question: how some servers refuse what they do not understand. */
export function headerOnly(query: FakeQuery, rcode: number): Buffer {
  const reply = bare(query, rcode).subarray(0, 12)
  reply.writeUInt16BE(0, 4)
  return reply
}

/** A record's data from its words; names in it are whole. */
export function recordData(type: string, words: readonly string[]): Buffer {
  const [first = '', second = ''] = words
  switch (type) {
    case 'A':
      return Buffer.from(first.split('.').map(Number))
    case 'AAAA':
      return ipv6(first)
    case 'CNAME':
    case 'NS':
    case 'PTR':
    case 'DNAME':
      return writeName(first)
    case 'MX':
      return Buffer.concat([numbers16([first]), writeName(second)])
    case 'SRV':
      return Buffer.concat([numbers16(words.slice(0, 3)), writeName(words[3] ?? '')])
    case 'TXT':
      return Buffer.concat(words.map((word) => Buffer.from([word.length, ...Buffer.from(word)])))
    case 'SOA':
      return Buffer.concat([writeName(first), writeName(second), numbers32(words.slice(2))])
    default:
      throw new Error(`no words for ${type}`)
  }
}

export const typeNumberOf: Readonly<Record<string, number>> = { ...typeNumbers, DNAME: 39 }

function record(one: RecordText, pointed: string | undefined): Buffer {
  const { owner, ttl, type, data } = typeof one === 'string' ? parse(one) : one
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([ownerOctets(owner, pointed), fixed, data])
}

function ownerOctets(owner: string | Buffer, pointed: string | undefined): Buffer {
  if (typeof owner !== 'string') return owner
  return owner.toLowerCase() === pointed ? toQuestion : writeName(owner)
}

function parse(text: string): RawRecord {
  const [owner = '', ttl = '', type = '', ...words] = text.split(' ')
  const number = typeNumberOf[type]
  if (number === undefined) throw new Error(`unknown type in: ${text}`)
  return { owner, ttl: Number(ttl), type: number, data: recordData(type, words) }
}

function optRecord(opt: Content['opt']): Buffer {
  const data = opt?.data ?? Buffer.alloc(0)
  const fixed = Buffer.from([0, 0, 41, 0x04, 0xd0, (opt?.rcode ?? 0) >> 4, 0, 0, 0, 0, 0])
  fixed.writeUInt16BE(data.length, 9)
  return Buffer.concat([fixed, data])
}

function ipv6(text: string): Buffer {
  const [left = '', right = ''] = text.split('::')
  const groups = (half: string) => (half === '' ? [] : half.split(':'))
  const gap = 8 - groups(left).length - groups(right).length
  const all = [...groups(left), ...Array.from({ length: gap }, () => '0'), ...groups(right)]
  return numbers16(all.map((group) => String(Number.parseInt(group, 16))))
}

function numbers16(words: readonly string[]): Buffer {
  const octets = Buffer.alloc(2 * words.length)
  for (const [index, word] of words.entries()) octets.writeUInt16BE(Number(word), 2 * index)
  return octets
}

function numbers32(words: readonly string[]): Buffer {
  const octets = Buffer.alloc(4 * words.length)
  for (const [index, word] of words.entries()) octets.writeUInt32BE(Number(word), 4 * index)
  return octets
}
