// Goal: records read as they are written in zone files, and nothing that a server sends reaches the terminal raw.
// Method: messages through the codec and back.
import dnsPacket from 'dns-packet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerText, rcodeOf } from '../../src/cli/answer-text.ts'

const test = suite('cli/answer-text')

function decoded(packet: dnsPacket.Packet): dnsPacket.DecodedPacket {
  return dnsPacket.decode(dnsPacket.encode({ type: 'response', id: 1, ...packet }))
}

function line(record: dnsPacket.Answer): string {
  return (
    answerText(decoded({ answers: [record] }))
      .split('\n')
      .at(-2) ?? ''
  )
}

const lines: [dnsPacket.Answer, string][] = [
  [{ type: 'AAAA', name: 'a', ttl: 1, data: '2001:db8::1' }, 'a.  1  IN  AAAA  2001:db8::1'],
  [{ type: 'TXT', name: 'a', ttl: 1, data: 'a\\032b' }, 'a.  1  IN  TXT  "a\\092032b"'],
  [
    { type: 'TXT', name: 'a', ttl: 1, data: [Buffer.from([0x61, 0xff]), 'ü'] },
    'a.  1  IN  TXT  "a\\255" "\\195\\188"',
  ],
  [{ type: 'CNAME', name: 'a', ttl: 1, data: 'b.example' }, 'a.  1  IN  CNAME  b.example.'],
  [{ type: 'NS', name: '.', ttl: 1, data: '.' }, '.  1  IN  NS  .'],
  [
    { type: 'MX', name: 'a', ttl: 1, data: { preference: 10, exchange: 'm.example' } },
    'a.  1  IN  MX  10 m.example.',
  ],
  [
    {
      type: 'SRV',
      name: '_x._tcp.a',
      ttl: 1,
      data: { priority: 0, weight: 100, port: 53, target: 'b' },
    },
    '_x._tcp.a.  1  IN  SRV  0 100 53 b.',
  ],
  [
    { type: 'CAA', name: 'a', ttl: 1, data: { flags: 0, tag: 'issue', value: 'ca.example' } },
    'a.  1  IN  CAA  0 issue "ca.example"',
  ],
  [
    {
      type: 'SSHFP',
      name: 'a',
      ttl: 1,
      data: { algorithm: 1, hash: 1, fingerprint: 'AB'.repeat(20) },
    },
    `a.  1  IN  SSHFP  algorithm=1 hash=1 fingerprint=${'AB'.repeat(20)}`,
  ],
  [{ type: 'CNAME', name: 'a', ttl: 1, data: '\u001b[2J\n' }, 'a.  1  IN  CNAME  \\027[2J\\010.'],
]
for (const [record, text] of lines) {
  test(`a record of type ${record.type} reads ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.is(line(record), text)
  })
}

test('a type without a presentation is shown as octets', () => {
  const bytes = dnsPacket.encode({
    type: 'response',
    id: 1,
    answers: [{ type: 'NULL', name: 'a', ttl: 7, data: Buffer.from('000100', 'hex') }],
  })
  bytes.writeUInt16BE(65, 15)
  assert.is(
    answerText(dnsPacket.decode(bytes)).split('\n').at(-2),
    'a.  7  IN  HTTPS  \\# 3 000100',
  )
})

test('the OPT record adds to the response code and is not listed', () => {
  const opt: dnsPacket.Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 1,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
  const message = decoded({ additionals: [opt] })
  assert.is(rcodeOf(message), 'BADVERS')
  assert.is(
    answerText(message),
    ';; BADVERS  flags: qr  answer 0, authority 0, additional 0\n;; EDNS  udp 1232\n',
  )
})

test('the reason of a stale answer is shown (RFC 8914)', () => {
  const message = decoded({
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 512,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: dnsPacket.DNSSEC_OK,
        flag_do: true,
        options: [{ code: 15 as 12, data: Buffer.from('\u0000\u0003stale\u0007') }],
      },
    ],
  })
  assert.is(
    answerText(message).split('\n').slice(1).join('\n'),
    ';; EDNS  udp 512  flags: do\n;; extended error 3 "stale\\007"\n',
  )
})

test.run()
