/** What clients send beside plain questions, and what they may expect. */
import { writeQuery } from '../../../support/client/dns-message.ts'
import { knows, says } from '../behaviours.ts'
import { ask, asked, type Case, type Property, sendOctets } from '../case.ts'
import { data, describe, off, rcode } from '../properties.ts'

const records = knows(['*.site.example 60 A 192.0.2.20'])
const qname = 'www.site.example'

/** An OPT record at the end of the query becomes this one. */
function withOpt(version: number, options: string, size = 1232): Buffer {
  const query = writeQuery(qname, 'A', { ednsBytes: size })
  query.writeUInt8(version, query.length - 5)
  const octets = Buffer.from(options, 'hex')
  query.writeUInt16BE(octets.length, query.length - 2)
  return Buffer.concat([query, octets])
}

function changed(change: (query: Buffer) => void): Buffer {
  const query = writeQuery(qname, 'A')
  change(query)
  return query
}

const noOpt: Property = ({ reply }) => (reply?.opt === undefined ? undefined : 'an OPT record came')
const withOwnOpt: Property = (seen) =>
  seen.reply?.opt ? undefined : `${describe(seen)} without OPT`

/** The extended rcode: its upper bits are in the OPT record. */
const badVersion: Property = (seen) => {
  const upper = (seen.reply?.opt?.ttl ?? 0) >>> 24
  return upper === 1 && seen.reply?.rcode === 0 && seen.reply.answers.length === 0
    ? undefined
    : describe(seen)
}

export const queries: readonly Case[] = [
  {
    name: 'a client without EDNS gets no OPT record, one with EDNS gets one',
    source: 'RFC 6891 6.1.1',
    upstreams: { only: records },
    steps: [
      ask(qname, 'A', data('192.0.2.20'), noOpt),
      ask(qname, 'A', data('192.0.2.20'), withOwnOpt, { ednsBytes: 1232 }),
      ask(qname, 'A', data('192.0.2.20'), noOpt),
    ],
  },
  {
    name: 'EDNS of version 1 is answered BADVERS',
    source: 'RFC 6891 6.1.3',
    upstreams: { only: records },
    steps: [sendOctets('EDNS version 1', withOpt(1, ''), badVersion)],
  },
  {
    name: 'an option that nobody knows is passed over',
    source: 'RFC 6891 6.1.2',
    upstreams: { only: records },
    steps: [sendOctets('option 65500', withOpt(0, 'ffdc0004deadbeef'), data('192.0.2.20'))],
  },
  {
    name: 'a payload size below 512 is taken for 512',
    source: 'RFC 6891 6.2.3',
    upstreams: { only: records },
    steps: [sendOctets('a payload size of 0', withOpt(0, '', 0), data('192.0.2.20'))],
  },
  {
    name: 'an option that is longer than its record is FORMERR',
    source: 'RFC 6891 6.1.2; RFC 1035 4.1.1',
    upstreams: { only: records },
    steps: [sendOctets('a broken option', withOpt(0, '000a00ff00'), rcode(1))],
  },
  {
    name: 'two questions in one query are FORMERR',
    source: 'RFC 9619',
    upstreams: { only: records },
    steps: [
      sendOctets(
        'two questions',
        Buffer.concat([
          changed((query) => query.writeUInt16BE(2, 4)),
          writeQuery('b.site.example', 'A').subarray(12),
        ]),
        rcode(1),
      ),
    ],
  },
  {
    name: 'UPDATE and NOTIFY are refused, and not taken for questions',
    source: 'RFC 1035 4.1.1; RFC 2136 3.1; RFC 1996 3.10',
    upstreams: { only: records },
    steps: [4, 5].map((opcode) =>
      sendOctets(
        `opcode ${opcode}`,
        changed((query) => query.writeUInt8(opcode << 3, 2)),
        rcode(1, 4, 5, 9),
        off('aa'),
      ),
    ),
  },
  {
    name: 'an opcode that nobody has is NOTIMP, without RA',
    source: 'RFC 1035 4.1.1; as unbound',
    upstreams: { only: records },
    steps: [
      sendOctets(
        'opcode 13',
        changed((query) => query.writeUInt8(13 << 3, 2)),
        rcode(4),
        off('aa'),
      ),
    ],
  },
  {
    name: 'a packet that is a reply gets no reply',
    source: 'RFC 1035 7.3: two servers would answer each other for ever',
    upstreams: { only: records },
    steps: [
      sendOctets(
        'QR=1',
        changed((query) => query.writeUInt8(0x81, 2)),
        (seen) => (seen.problem === 'no reply' ? undefined : describe(seen)),
      ),
    ],
  },
  {
    name: 'CD of a client reaches the upstream and comes back',
    source: 'RFC 4035 3.2.2',
    upstreams: { only: says(({ qname: name }) => ({ answers: [`${name} 60 A 192.0.2.20`] })) },
    steps: [
      ask(qname, 'A', data('192.0.2.20'), { cd: true, ednsBytes: 1232, do: true }, ({ reply }) =>
        reply?.cd ? undefined : 'CD not set',
      ),
      asked('only', ({ queries: seen }) =>
        seen.some(({ message }) => message.readUInt8(3) & 0x10)
          ? undefined
          : 'CD was not sent upstream',
      ),
    ],
  },
  {
    name: 'signatures reach a client that sets DO, and no other',
    source: 'RFC 4035 3.2.1',
    upstreams: {
      only: says({
        answers: [
          `${qname} 60 A 192.0.2.20`,
          {
            owner: qname,
            ttl: 60,
            type: 46,
            data: Buffer.concat([
              Buffer.from('0001080300000e10', 'hex'),
              Buffer.alloc(8, 1),
              Buffer.from([0, 1, 0]),
              Buffer.alloc(64, 3),
            ]),
          },
        ],
      }),
    },
    steps: [
      ask(qname, 'A', { ednsBytes: 1232, do: true }, ({ reply }) =>
        reply?.answers.some(({ type }) => type === 46) ? undefined : 'no RRSIG',
      ),
      ask(qname, 'A', ({ reply }) =>
        reply?.answers.some(({ type }) => type === 46) ? 'RRSIG passed on' : undefined,
      ),
    ],
  },
  {
    name: 'ANY is answered or refused, and does not make A forget anything',
    source: 'RFC 8482 4',
    upstreams: { only: records },
    steps: [ask(qname, 'ANY', rcode(0, 4, 5)), ask(qname, 'A', data('192.0.2.20'))],
  },
  {
    name: 'AXFR over TCP is refused',
    source: 'RFC 5936 2.2: a forwarder has no zone',
    upstreams: { only: records },
    steps: [ask(qname, 'AXFR', { tcp: true }, rcode(1, 2, 4, 5, 9))],
  },
  {
    name: 'the same question again after 2 s, before the answer, gets one as well',
    source: 'resolv.conf(5), timeout and attempts',
    upstreams: { only: (query) => query.after(3000, () => records(query)) },
    steps: [
      async (stage) => {
        const first = ask(qname, 'A', data('192.0.2.20'))(stage)
        await new Promise((resolve) => setTimeout(resolve, 2000))
        await Promise.all([first, ask(qname, 'A', data('192.0.2.20'))(stage)])
      },
    ],
  },
]
