/**
 * Goal: the load generator knows right replies from wrong ones, whatever the order of their records. Method: the real programs, with a
 * relay between them that rewrites the authority's replies.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startAuthority } from '../../bench/comparison/field.ts'
import { type LoadReport, load } from '../../bench/support/load.ts'
import { writeQueries } from '../../bench/support/query-mix.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('bench/check'), 'gcc')
/** A set of 2 to 250 addresses, by programs/truth.h. */
const asked = { name: 'many-u00000000.team-1.svc.cluster.local', type: 'A' } as const
const recordsFrom = writeQuery(asked.name, asked.type).length
const recordBytes = 16
const answersAt = 6
const loadCpu = 0

/** @param rewrite makes one list of records of another */
async function judged(rewrite: (records: Buffer[]) => Buffer[]): Promise<LoadReport> {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-check-'))
  const authority = await startAuthority({ loadCpu, ttlMaxSeconds: 30 })
  const [front, back] = [createSocket('udp4'), createSocket('udp4')]
  try {
    const clients = new Map<number, RemoteInfo>()
    front.on('message', (query, client) => {
      clients.set(query.readUInt16BE(0), client)
      back.send(query, authority.port, '127.0.0.1')
    })
    back.on('message', (reply) => {
      const records = recordsOf(reply)
      const rewritten = Buffer.concat([reply.subarray(0, recordsFrom), ...rewrite(records)])
      rewritten.writeUInt16BE(rewrite(records).length, answersAt)
      const client = clients.get(reply.readUInt16BE(0))
      front.send(rewritten, client?.port, client?.address)
    })
    front.bind(0, '127.0.0.1')
    await once(front, 'listening')
    const { port } = front.address()
    const queryFile = join(directory, 'queries')
    writeQueries(queryFile, [asked])
    return await load({
      port,
      cpu: loadCpu,
      queryFile,
      seconds: 5,
      total: 20,
      window: 1,
      sockets: 1,
    })
  } finally {
    front.close()
    back.close()
    await authority.child.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function recordsOf(reply: Buffer): Buffer[] {
  const count = reply.readUInt16BE(answersAt)
  return Array.from({ length: count }, (_, i) =>
    reply.subarray(recordsFrom + i * recordBytes, recordsFrom + (i + 1) * recordBytes),
  )
}

test('the records of a set come in any order', async () => {
  for (const rewrite of [
    (records: Buffer[]) => records,
    (records: Buffer[]) => [...records.slice(1), ...records.slice(0, 1)],
    (records: Buffer[]) => records.toReversed(),
  ]) {
    const { received, wrong } = await judged(rewrite)
    assert.is(received, 20)
    assert.is(wrong, 0)
  }
})

test('a set that lacks a record, or has one twice, or a wrong one, is wrong', async () => {
  for (const rewrite of [
    (records: Buffer[]) => records.slice(1),
    (records: Buffer[]) => [...records.slice(1), ...records.slice(-1)],
    (records: Buffer[]) => [...records.slice(1), Buffer.from(records[0] ?? []).fill(9, 12)],
  ]) {
    const { received, wrong } = await judged(rewrite)
    assert.is(received, 20)
    assert.is(wrong, 20)
  }
})

test.run()
