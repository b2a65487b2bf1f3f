/**
 * Types with names in their data that come compressed: RFC 3597 4 lets receivers decompress RP, AFSDB, RT, SIG, PX, NXT,
 * NAPTR and SRV, and lets nobody compress them. A pointer that is passed on leads to anywhere in the new message.
 */
import { writeName } from '../../../support/client/dns-message.ts'
import { saysWhole } from '../behaviours.ts'
import { ask, type Case } from '../case.ts'
import { type RawRecord, toQuestion } from '../message.ts'
import { data, describe } from '../properties.ts'

const qname = 'www.site.example'
const whole = writeName(qname)
/** `site.example` within the question. */
const toParent = Buffer.from([0xc0, 16])
const parent = writeName('site.example')

interface Shape {
  readonly mnemonic: string
  readonly type: number
  /** Builds the data from how names are written. */
  readonly data: (name: Buffer, other: Buffer) => Buffer
}

const u16 = (...values: number[]) => {
  const octets = Buffer.alloc(2 * values.length)
  for (const [index, value] of values.entries()) octets.writeUInt16BE(value, 2 * index)
  return octets
}

const naptrText = Buffer.from([1, 0x75, 3, 0x73, 0x69, 0x70, 0])
const signed = Buffer.concat([u16(1), Buffer.from([5, 3]), Buffer.alloc(12, 1), u16(7)])

const shapes: readonly Shape[] = [
  { mnemonic: 'RP', type: 17, data: (a, b) => Buffer.concat([a, b]) },
  { mnemonic: 'AFSDB', type: 18, data: (a) => Buffer.concat([u16(1), a]) },
  { mnemonic: 'RT', type: 21, data: (a) => Buffer.concat([u16(10), a]) },
  { mnemonic: 'SIG', type: 24, data: (a) => Buffer.concat([signed, a, Buffer.alloc(16, 2)]) },
  { mnemonic: 'PX', type: 26, data: (a, b) => Buffer.concat([u16(10), a, b]) },
  { mnemonic: 'NXT', type: 30, data: (a) => Buffer.concat([a, Buffer.from([0x40, 0, 0, 8])]) },
  { mnemonic: 'NAPTR', type: 35, data: (a) => Buffer.concat([u16(10, 20), naptrText, a]) },
  { mnemonic: 'KX', type: 36, data: (a) => Buffer.concat([u16(10), a]) },
]

/** Signatures of old are asked for like any other type here; 24 and 30 are rare, and some servers refuse them. */
function rebuilt({ mnemonic, type, data: build }: Shape): Case {
  const record: RawRecord = { owner: qname, ttl: 60, type, data: build(toParent, toQuestion) }
  const wanted = build(parent, whole).toString('hex')
  return {
    name: `${mnemonic} that comes compressed is passed on with whole names`,
    source: 'RFC 3597 4',
    upstreams: { only: saysWhole({ answers: [record] }) },
    steps: [
      ask(qname, type, (seen) =>
        seen.reply?.answers[0]?.data === wanted ? undefined : `${describe(seen)}`,
      ),
    ],
  }
}

/** Types whose names may be compressed by everybody (RFC 1035): the reader makes them whole. */
function readable(mnemonic: 'MX' | 'SRV', words: string, numbers: readonly number[]): Case {
  const type = mnemonic === 'MX' ? 15 : 33
  const record: RawRecord = {
    owner: qname,
    ttl: 60,
    type,
    data: Buffer.concat([u16(...numbers), toParent]),
  }
  return {
    name: `${mnemonic} that comes compressed keeps its name`,
    source: mnemonic === 'MX' ? 'RFC 1035 4.1.4' : 'RFC 3597 4; RFC 2782',
    upstreams: { only: saysWhole({ answers: [record] }) },
    steps: [ask(qname, type, data(words)), ask(qname, type, data(words))],
  }
}

export const types: readonly Case[] = [
  ...shapes.map(rebuilt),
  readable('MX', '10 site.example.', [10]),
  readable('SRV', '1 2 53 site.example.', [1, 2, 53]),
  {
    name: 'NAPTR behind a DNAME and its alias, all compressed, is passed on well-formed',
    source: 'RFC 3597 4; RFC 6672 3.1',
    upstreams: {
      only: saysWhole({
        answers: [
          'site.example 60 DNAME corp.example',
          `${qname} 60 CNAME www.corp.example`,
          {
            owner: 'www.corp.example',
            ttl: 60,
            type: 35,
            data: Buffer.concat([u16(10, 20), naptrText, toParent]),
          },
        ],
      }),
    },
    steps: [
      ask(qname, 35, (seen) => {
        const last = seen.reply?.answers.at(-1)?.data ?? describe(seen)
        return last === Buffer.concat([u16(10, 20), naptrText, parent]).toString('hex')
          ? undefined
          : last
      }),
    ],
  },
  {
    name: 'a type that nobody knows is passed on as it came',
    source: 'RFC 3597 3',
    upstreams: {
      only: saysWhole({
        answers: [{ owner: qname, ttl: 60, type: 65280, data: Buffer.from('c00cdeadbeef', 'hex') }],
      }),
    },
    steps: [ask(qname, 65280, data('c00cdeadbeef'))],
  },
]
