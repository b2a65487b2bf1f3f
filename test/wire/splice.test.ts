/*
 * Goal: an alias and what it leads to become one sound message. Method: two images made by hand, compressed as upstreams do it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { splice } from '../../src/wire/splice.ts'
import { name, octets, u16 } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'

const test = suite('wire/splice')

interface Parts {
  readonly qname: string
  readonly flags: readonly [number, number]
  readonly answers?: readonly Buffer[]
  readonly authorities?: readonly Buffer[]
}

function image({ qname, flags, answers = [], authorities = [] }: Parts): Buffer {
  const counts = [0, 1, ...u16(answers.length), ...u16(authorities.length), 0, 0]
  const header = [0, 0, ...flags, ...counts]
  return Buffer.concat([
    octets(header),
    name(qname),
    octets([0, 1, 0, 1]),
    ...answers,
    ...authorities,
  ])
}

/** Its owner is the question's. */
function record(type: number, ttl: number, data: Buffer): Buffer {
  return Buffer.concat([octets([0xc0, 12, 0, type, 0, 1, 0, 0, 0, ttl, 0, data.length]), data])
}

const target = 'api.default.svc.cluster.local'
const head = image({
  qname: 'www.example',
  flags: [0x84, 0xa0],
  answers: [record(5, 60, name(target))],
})

test('the answers follow one another, each under its own owner', () => {
  const tail = image({
    qname: target,
    flags: [0x84, 0x80],
    answers: [record(1, 30, octets([10, 0, 0, 1])), record(1, 5, octets([10, 0, 0, 2]))],
  })
  const read = readMessage(splice(head, tail) ?? Buffer.alloc(0))
  assert.equal(
    read.answers.map((one) => `${one.name} ${one.ttl} ${one.data}`),
    [`www.example. 60 ${target}.`, `${target}. 30 10.0.0.1`, `${target}. 5 10.0.0.2`],
  )
  assert.equal(
    [read.rcode, read.questions[0]?.name, read.aa, read.ad],
    [0, 'www.example.', false, false],
  )
})

test('a denial brings its rcode and its SOA', () => {
  const soa = Buffer.concat([octets([0xc0, 12, 0xc0, 12]), Buffer.alloc(20)])
  const tail = image({ qname: target, flags: [0x84, 0x83], authorities: [record(6, 5, soa)] })
  const whole = splice(head, tail) ?? Buffer.alloc(0)
  const scan = new ResponseScan()
  assert.ok(scanResponse(whole, whole.length, scan))
  assert.equal([scan.rcode, scan.answers, scan.authorities, scan.end], [3, 1, 1, whole.length])
})

test('what would pass the largest message is refused', () => {
  const tail = (count: number) => {
    const texts = Array.from({ length: count }, () => record(10, 30, Buffer.alloc(240, 1)))
    return image({ qname: target, flags: [0x84, 0x80], answers: texts })
  }
  assert.is(splice(head, tail(250))?.length, tail(250).length + 25)
  assert.is(splice(head, tail(262)), undefined)
})

test('something that is no message is refused', () => {
  assert.is(splice(head, Buffer.alloc(5)), undefined)
  assert.is(splice(Buffer.alloc(5), head), undefined)
})

test.run()
