// Goal: each captured query is replayed once, at its time, and judged or counted with the cause. Method: packets by hand, and instances that a test writes down.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../src/core/facts.ts'
import type { Peer, QueryHandler } from '../../src/core/ports.ts'
import { uncovered } from '../../src/rehearsal/cover-names.ts'
import { Presumption } from '../../src/rehearsal/presumption.ts'
import { Rehearsal } from '../../src/rehearsal/rehearsal.ts'
import { Said } from '../../src/rehearsal/said.ts'
import { Tally } from '../../src/rehearsal/tally.ts'
import { Timetable } from '../../src/rehearsal/timetable.ts'
import { CapturedUpstream } from '../../src/rehearsal/upstream.ts'
import { wireName } from '../../src/wire/name.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { captured, ip, pod, replyTo, server, toPod, toServer, udp } from './support.ts'

const test = suite('rehearsal/rehearsal')

const rest = { servers: [server], isCache: false, kernel: undefined }
const address = { addresses: ['192.0.2.1'] }

type Answer = (query: Buffer, out: Buffer, peer: Peer) => number

function world(answer: Answer) {
  const timetable = new Timetable()
  const handledMs: number[] = []
  const said = new Said({ isCache: false, isCluster: () => false })
  const presumption = new Presumption(wireName('cluster.local'))
  const handler: QueryHandler = {
    beginBatch: () => handledMs.push(timetable.nowMs()),
    handle: (query, _bytes, out, peer) => answer(query, out, peer),
  }
  const tally = new Tally({ cover: uncovered, groupOf: () => 'all', isCluster: () => false })
  const upstream = new CapturedUpstream({ said, presumption, timetable })
  const servers = new Set([server])
  const parts = { servers, handler, timetable, said, presumption, upstream, tally }
  return { rehearsal: new Rehearsal(parts), handledMs }
}

/** An instance that knows the answer. */
const ready: Answer = (query, out) => replyTo(query, address).copy(out)

function query(id: number): Buffer {
  return writeQuery('www.example.com', 'A', { id })
}

test('a query is replayed at its time on the clock of the capture, and its answer judged', () => {
  const { rehearsal, handledMs } = world(ready)
  rehearsal.take(captured(udp(toServer, query(1)), 1000))
  rehearsal.take(captured(udp(toPod, replyTo(query(1), address)), 1003))
  assert.equal(handledMs, [], 'the server may be about to say more')
  rehearsal.take(captured(udp(toServer, query(2)), 9000))
  assert.equal(handledMs, [1000])
  rehearsal.take(captured(udp(toPod, replyTo(query(2), { addresses: ['192.0.2.9'] })), 9001))
  const report = rehearsal.end(rest)
  assert.equal(handledMs, [1000, 9000])
  assert.equal([report.queries, report.judged, report.same.all, report.seconds], [2, 2, 1, 8.001])
  assert.equal(
    report.differences.map(({ reason }) => reason),
    ['changed'],
  )
})

test('copies on other links count once', () => {
  const { rehearsal } = world(ready)
  for (const place of [1, 2, 3]) rehearsal.take(captured(udp(toServer, query(1)), 1000, place))
  for (const place of [6, 7])
    rehearsal.take(captured(udp(toPod, replyTo(query(1), address)), 1002, place))
  const { queries, judged, copies, notJudged } = rehearsal.end(rest)
  assert.equal([queries, judged, copies, notJudged.lateReply], [1, 1, 3, 0])
})

test('an answer that the instance gives later is judged then, with its source', () => {
  const { rehearsal } = world((bytes, _out, peer) => {
    const replyTo_ = peer.hold()
    replyTo_.send(replyTo(bytes, address))
    const facts = { source: ReplySource.upstream } as Parameters<typeof rehearsal.noteReply>[1]
    const arrival = { replyTo: replyTo_ } as unknown as Parameters<typeof rehearsal.noteReply>[0]
    rehearsal.noteReply(arrival, facts)
    return 0
  })
  rehearsal.take(captured(udp(toServer, query(1)), 1000))
  rehearsal.take(captured(udp(toPod, replyTo(query(1), address)), 1002))
  const { judged, answered } = rehearsal.end(rest)
  assert.equal([judged, answered.upstream], [1, 1])
})

test('what cannot be judged is counted by its cause', () => {
  const { rehearsal } = world(ready)
  const fragment = udp(toServer, query(9))
  fragment.writeUInt16BE(0x2000, 6)
  const cut = udp(toPod, query(10))
  const packets = [
    udp(toServer, query(1)), // without a reply
    udp(toPod, replyTo(query(2), address)), // without its query
    udp(toServer, Buffer.from('junk')),
    udp(toPod, Buffer.from('junk')),
    ip(toServer, 6, Buffer.alloc(20)),
    ip(toPod, 6, Buffer.alloc(20)),
    fragment,
    udp({ ...toServer, to: '192.0.2.53' }, query(3)), // somebody else's
    udp({ ...toServer, toPort: 5353 }, query(4)),
  ]
  for (const [i, packet] of packets.entries()) rehearsal.take(captured(packet, 1000 + i))
  rehearsal.take({ ...captured(cut, 2000), wholeBytes: 9001 })
  const { notJudged, queries, otherServers } = rehearsal.end(rest)
  assert.equal(notJudged, {
    noReply: 1,
    lateReply: 1,
    noCapturedReply: 0,
    notAnswered: 0,
    odd: 1,
    unreadable: 1,
    tcp: 1,
    fragment: 1,
    cut: 1,
  })
  assert.equal([queries, otherServers], [2, [{ server: '192.0.2.53', queries: 1 }]])
})

test('an instance that never answers is counted', () => {
  const { rehearsal } = world(() => 0)
  rehearsal.take(captured(udp(toServer, query(1)), 1000))
  rehearsal.take(captured(udp(toPod, replyTo(query(1), address)), 1002))
  rehearsal.take(captured(udp(toServer, query(2)), 30_000))
  const { notJudged, judged } = rehearsal.end(rest)
  assert.equal([notJudged.notAnswered, notJudged.noReply, judged], [1, 1, 0])
})

test('the peer is the pod, and packets out of order are taken in the order in which they came', () => {
  const peers: string[] = []
  const { rehearsal, handledMs } = world((bytes, out, peer) => {
    peers.push(`${peer.address()} ${peer.port} ${peer.family}`)
    return ready(bytes, out, peer)
  })
  rehearsal.take(captured(udp(toServer, query(1)), 1000))
  rehearsal.take(captured(udp(toServer, query(2)), 999.5))
  rehearsal.end(rest)
  assert.equal([peers[0], handledMs], [`${pod} 40000 4`, [1000, 1000]])
})

test.run()
