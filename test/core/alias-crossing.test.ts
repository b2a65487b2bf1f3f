/*
 * Goal: an alias from outside into the cluster gets the cluster's answer behind it, once that is there, or what became of that question.
 * Method: a core that knows, or does not know, the name at the end; replies read by the tests' own decoder.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AliasCrossings } from '../../src/core/alias-crossing.ts'
import type { Settlement } from '../../src/core/decision.ts'
import { ReplySource } from '../../src/core/facts.ts'
import type { InFlightSettings, Ticket } from '../../src/core/question/in-flight.ts'
import { presentName } from '../../src/wire/name.ts'
import { name } from '../fixtures/packets/octets.ts'
import { readMessage } from '../support/client/dns-message.ts'
import { aRecord, Core, cnameRecord, record, responseTo } from './support.ts'

const test = suite('core/alias-crossing')

const outside = 'www.corp.example'
const inside = 'web.team-a.svc.cluster.local'
const insideName = name(inside).toString('latin1')

class Crossing {
  readonly core: Core
  readonly crossings: AliasCrossings

  constructor(inFlight: Partial<InFlightSettings> = {}) {
    this.core = new Core({ inFlight })
    this.crossings = new AliasCrossings(this.core.own)
  }

  asked(qname = outside, type: 'A' | 'AAAA' = 'A'): Ticket {
    const { ticket } = this.core.ask(qname, type)
    if (ticket === undefined) throw new Error('not asked')
    return ticket
  }

  begin(ticket: Ticket, head = headOf()) {
    return this.crossings.begin(ticket, head, insideName, this.core.nowMs)
  }

  /** Begins a crossing that has to wait. */
  target(ticket: Ticket, head?: Buffer): { readonly target: Ticket; readonly isNew: boolean } {
    const step = this.begin(ticket, head)
    if (step.settled !== undefined) throw new Error('settled at once')
    return step
  }
}

function headOf(qname = outside): Buffer {
  return responseTo(qname, 'A', { answers: [cnameRecord(qname, inside, 60)] })
}

const found = responseTo(inside, 'A', { answers: [aRecord(inside, '10.96.0.9', 5)] })

function settlement(image: Buffer | undefined): Settlement {
  return { image, rcode: 2, source: ReplySource.failed, ede: 22 }
}

function lines({ image }: Settlement): string[] {
  if (image === undefined) return ['no image']
  return readMessage(image).answers.map(({ name: owner, data }) => `${owner} ${data}`)
}

test('what the cluster is known to say stands behind the alias at once', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', { answers: [aRecord(inside, '10.96.0.9', 5)] })
  bench.core.later(2)
  const { settled } = bench.begin(bench.asked())
  assert.equal(settled && lines(settled), [`${outside}. ${inside}.`, `${inside}. 10.96.0.9`])
  assert.equal([settled?.rcode, settled?.source, settled?.ede], [0, ReplySource.upstream, -1])
  const ttl = settled?.image && readMessage(settled.image).answers[1]?.ttl
  assert.is(ttl, 3, 'as old as it is')
})

test('a known denial gives the alias with NXDOMAIN', () => {
  const bench = new Crossing()
  bench.core.learn(inside, 'A', {
    rcode: 3,
    authorities: [record('cluster.local', 'SOA', soaData())],
  })
  const { settled } = bench.begin(bench.asked())
  assert.is(settled?.rcode, 3)
  assert.equal(settled && lines(settled), [`${outside}. ${inside}.`])
})

function soaData(): Buffer {
  return Buffer.concat([name('ns.test'), name('root.test'), Buffer.alloc(19), Buffer.of(5)])
}

test('what is not known is asked, for the type of the question, and known by its ticket', () => {
  const bench = new Crossing()
  const { target, isNew } = bench.target(bench.asked(outside, 'AAAA'))
  assert.is(isNew, true)
  assert.is(presentName(target.frame, 12), `${inside}.`)
  assert.is(target.frame.readUInt16BE(target.questionEnd - 4), 28)
  assert.is(target.group, 'cluster')
})

test('two aliases into one name wait for one question, and each gets its own head', () => {
  const bench = new Crossing()
  const [one, other] = [bench.asked(), bench.asked('ftp.corp.example')]
  const first = bench.target(one, headOf())
  const second = bench.target(other, headOf('ftp.corp.example'))
  assert.is(second.target, first.target)
  assert.equal([first.isNew, second.isNew], [true, false])
  const finished = bench.crossings.finish(first.target, settlement(found))
  assert.equal(
    finished.map(([ticket]) => ticket === one || ticket === other),
    [true, true],
  )
  assert.equal(
    finished.map(([, of]) => lines(of)[0]),
    [`${outside}. ${inside}.`, `ftp.corp.example. ${inside}.`],
  )
})

test('the head is a copy', () => {
  const bench = new Crossing()
  const head = headOf()
  const { target } = bench.target(bench.asked(), head)
  head.fill(0)
  const [[, settled] = []] = bench.crossings.finish(target, settlement(found))
  assert.equal(settled && lines(settled), [`${outside}. ${inside}.`, `${inside}. 10.96.0.9`])
})

test('a failure of the cluster is the failure of the whole', () => {
  const bench = new Crossing()
  const { target } = bench.target(bench.asked())
  const failed = settlement(undefined)
  assert.equal(
    bench.crossings.finish(target, failed).map(([, of]) => of === failed),
    [true],
  )
})

test('a crossing is finished once, and others are not', () => {
  const bench = new Crossing()
  const ticket = bench.asked()
  assert.equal(bench.crossings.finish(ticket, settlement(found)), [])
  const { target } = bench.target(ticket)
  bench.crossings.finish(target, settlement(found))
  assert.equal(bench.crossings.finish(target, settlement(found)), [])
})

test('where there is no room to ask, the client is told so', () => {
  const bench = new Crossing({ questionsMax: 1 })
  const { settled } = bench.begin(bench.asked())
  assert.equal(
    [settled?.rcode, settled?.source, settled?.image],
    [2, ReplySource.overloaded, undefined],
  )
})

test('what is too long as a whole is not sent in part', () => {
  const bench = new Crossing()
  const { target } = bench.target(bench.asked())
  // Texts of 97 bytes and their lengths.
  const txt = (of: string) => record(of, 16, Buffer.alloc(98 * 400, 97))
  const half = responseTo(outside, 'A', { answers: [cnameRecord(outside, inside), txt(outside)] })
  const whole = bench.crossings.finish(
    target,
    settlement(responseTo(inside, 'A', { answers: [txt(inside)] })),
  )
  assert.is(lines(whole[0]?.[1] ?? settlement(undefined)).length, 2, 'one half fits')
  const again = bench.target(bench.asked('ftp.corp.example'), half)
  const [[, settled] = []] = bench.crossings.finish(
    again.target,
    settlement(responseTo(inside, 'A', { answers: [txt(inside)] })),
  )
  assert.equal([settled?.rcode, settled?.source], [2, ReplySource.overloaded])
})

test.run()
