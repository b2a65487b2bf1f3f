/**
 * A whole miss but for the sockets: bytes in, a question for the upstream, its answer settled, kept and sent to the client. Each name is
 * new, so that the cache is full and evicts, as it does under random names.
 */

import type { OutcomeSink } from '../../src/core/ports.ts'
import type { Ticket } from '../../src/core/question/in-flight.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { primed } from './fixture.ts'
import type { MicroBench } from './measure.ts'
import { scriptedReply } from './packets.ts'

/** Of the eight digits that make the name new, after the length byte and `a1-`. */
const digitsAt = 12 + 4

export const bench: MicroBench = async () => {
  const { path, peer } = await primed([])
  const query = writeQuery('a1-00000000.bench.cluster.local', 'A')
  const reply = scriptedReply(query)
  const scan = new ResponseScan()
  const out = Buffer.alloc(65_535)
  let asked: { ticket: Ticket; sink: OutcomeSink<Ticket> } | undefined
  // Where the sockets would begin.
  path.exchange.start = (ticket: Ticket, sink: OutcomeSink<Ticket>) => {
    asked = { ticket, sink }
  }
  let number = 0
  const op = () => {
    number += 1
    for (let i = 0; i < 8; i++) {
      const digit = 0x61 + ((number >>> (4 * i)) & 15)
      query[digitsAt + i] = digit
      reply[digitsAt + i] = digit
    }
    asked = undefined
    path.pipeline.beginBatch()
    const replyBytes = path.pipeline.handle(query, query.length, out, peer)
    if (replyBytes !== 0 || asked === undefined) throw new Error('not a miss')
    const { ticket, sink } = asked as { ticket: Ticket; sink: OutcomeSink<Ticket> }
    scanResponse(reply, reply.length, scan)
    sink.onOutcome(ticket, { kind: 'answer', reply, scan, upstream: '127.0.0.1:53' })
    return number
  }
  return [{ name: 'pipeline, miss: asked and settled', op }]
}
