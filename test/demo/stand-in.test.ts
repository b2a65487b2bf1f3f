// Goal: the stand-ins are DNS servers that real clients understand, and can die and come back.
// Method: asked over loopback with the tests' own message reader, which shares no code with the stand-ins.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { clusterAnswer } from '../../src/demo/cluster-zone.ts'
import { outsideAnswer } from '../../src/demo/outside-world.ts'
import { StandIn, type StandInPart } from '../../src/demo/stand-in.ts'
import { askUdp, lookup } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { until } from '../support/process.ts'

const test = suite('demo/stand-in')

function standIn(part: StandInPart): StandIn {
  const result = loadConfig({})
  if (!result.ok) throw new Error('defaults do not load')
  return new StandIn(part, result.config)
}

const outside = () => standIn({ isRecursive: true, answer: outsideAnswer })

test('records of all types can be read over UDP and TCP', async () => {
  const server = outside()
  await server.start()
  try {
    const at = { host: '127.0.0.1', port: server.port }
    for (const type of ['A', 'AAAA', 'MX', 'TXT', 'HTTPS'] as const) {
      for (const tcp of [false, true]) {
        const reply = await lookup(at, 'example.com', type, { tcp })
        assert.is(reply.answers.length, 1, `${type} ${tcp}`)
      }
    }
    assert.is((await lookup(at, 'www.example.com', 'A')).answers.length, 2)
    assert.equal(
      new Set(server.received.map(({ qname }) => qname)),
      new Set(['example.com', 'www.example.com']),
    )
    assert.is(server.received.filter(({ transport }) => transport === 1).length, 5)
  } finally {
    await server.stop()
  }
})

test('a stopped stand-in is silent, and a restarted one has its port again', async () => {
  const server = standIn({ isRecursive: false, answer: (q, t) => clusterAnswer(q, t, 30) })
  await server.start()
  const at = { host: '127.0.0.1', port: server.port }
  const query = writeQuery('payments.shop.svc.cluster.local', 'A', {})
  await server.stop()
  assert.is(await askUdp(at, query, 100), undefined)
  await server.start()
  try {
    assert.is(server.port, at.port)
    assert.is((await lookup(at, 'payments.shop.svc.cluster.local', 'A')).answers.length, 1)
  } finally {
    await server.stop()
  }
})

test('a slow answer that is on its way when the stand-in stops never comes', async () => {
  const server = outside()
  await server.start()
  const at = { host: '127.0.0.1', port: server.port }
  const reply = askUdp(at, writeQuery('slow.example.org', 'A', {}), 500)
  await until('the question is there', () => server.received.length > 0, { everyMs: 1 })
  await server.stop()
  assert.is(await reply, undefined)
})

test.run()
