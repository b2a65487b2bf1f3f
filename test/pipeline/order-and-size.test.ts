/*
 * Goal: what a client gets is as short as it can be and in an order that it can use, whatever the upstream sent. Method: the pipeline
 * between clients and an upstream that writes all names in full, as CoreDNS does over TCP.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aRecord, cnameRecord, responseTo } from '../core/support.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { Bench, Client } from './support.ts'

const test = suite('pipeline/order-and-size')

const headless = 'web.shop.svc.cluster.local'
const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

function answered(bench: Bench, name: string, records: readonly Buffer[]): Client {
  const client = new Client()
  bench.handle(writeQuery(name, 'A'), client)
  bench.answer(responseTo(name, 'A', { answers: records }))
  bench.handle(writeQuery(name, 'A'), client)
  return client
}

test('20 addresses fit into 512 bytes although CoreDNS wrote 20 names in full', () => {
  const bench = new Bench()
  const records = addresses(20).map((address) => aRecord(headless, address))
  for (const { answers, tc } of answered(bench, headless, records).got) {
    assert.equal([answers.length, tc], [20, false])
  }
  // 12 for the header, 32 for the question, 16 for each record.
  assert.equal(
    bench.facts.map(({ replyBytes }) => replyBytes),
    [364, 364],
  )
})

test('where not all addresses fit, as many as fit come with TC', () => {
  const records = addresses(40).map((address) => aRecord(headless, address))
  for (const { answers, tc } of answered(new Bench(), headless, records).got) {
    assert.equal([answers.length, tc], [29, true])
  }
})

test('an address before its alias is put behind it, from the cluster and from outside, first and later', () => {
  for (const zone of ['svc.cluster.local', 'example']) {
    const [host, target] = [`db.shop.${zone}`, `db-1.shop.${zone}`]
    const records = [aRecord(target, '10.0.0.1'), cnameRecord(host, target)]
    for (const { answers } of answered(new Bench(), host, records).got) {
      assert.equal(
        answers.map(({ name, data }) => `${name} ${data}`),
        [`${host}. ${target}.`, `${target}. 10.0.0.1`],
      )
    }
  }
})

test.run()
