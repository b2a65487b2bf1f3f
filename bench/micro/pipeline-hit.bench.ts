/** A whole cache hit but for the socket: bytes in, counted reply out. */
import { writeQuery } from '../../test/support/client/dns-message.ts'
import { primed } from './fixture.ts'
import type { MicroBench } from './measure.ts'

const names = 1000
/** Queries that one wake-up finds, as under the load of the comparison. */
const batchQueries = 16

export const bench: MicroBench = async () => {
  const plain = Array.from({ length: names }, (_, i) =>
    writeQuery(`a1-${i}.bench.cluster.local`, 'A'),
  )
  const withEdns = plain.map((_, i) =>
    writeQuery(`a1-${i}.bench.cluster.local`, 'A', { ednsBytes: 1232 }),
  )
  const { path, peer } = await primed(plain)
  const { pipeline } = path
  const out = Buffer.alloc(65_535)
  let at = 0
  const handle = (queries: readonly Buffer[]) => () => {
    at = at + 1 < names ? at + 1 : 0
    if (at % batchQueries === 0) pipeline.beginBatch()
    const query = queries[at] as Buffer
    const replyBytes = pipeline.handle(query, query.length, out, peer)
    if (replyBytes === 0) throw new Error('not a hit')
    return replyBytes
  }
  return [
    { name: 'pipeline.handle, hit', op: handle(plain) },
    { name: 'pipeline.handle, hit, EDNS', op: handle(withEdns) },
  ]
}
