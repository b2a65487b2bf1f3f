/** Goal: a client is told its address, port and transport, and nothing of it is kept. Method: questions through the pipeline, without a socket. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WhoamiStage } from '../../../src/local/whoami/stage.ts'
import { Client } from '../../pipeline/support.ts'
import { writeQuery } from '../../support/client/dns-message.ts'
import { LocalBench, linesOf, outlookOf } from '../support.ts'

const test = suite('local/whoami/stage')

async function started() {
  const stage = new WhoamiStage(
    await outlookOf('whoami: [{ zones: [who.example], except: [no.who.example] }]'),
  )
  return { stage, bench: new LocalBench([stage]) }
}

test('address, port and transport, for any type and with the letters of the question', async () => {
  const { bench, stage } = await started()
  const lines = (client: Client, type: 'A' | 'MX') => {
    bench.handle(writeQuery('X.Who.example', type), client)
    return linesOf(bench.lastBytes)
  }
  assert.equal(lines(new Client({ host: '192.0.2.7', port: 4711 }), 'MX'), [
    '0',
    'ar X.Who.example. 0 IN A 192.0.2.7',
    'ar _udp.X.Who.example. 0 IN SRV 0 0 4711 .',
  ])
  assert.equal(lines(new Client({ host: '2001:db8::7', port: 53_000, tcp: true }), 'A'), [
    '0',
    'ar X.Who.example. 0 IN AAAA 2001:db8::7',
    'ar _tcp.X.Who.example. 0 IN SRV 0 0 53000 .',
  ])
  assert.is(stage.told, 2)
  assert.is(bench.explain('who.example', 'A').stage, 'whoami')
})

test('other names are asked, and a name too long for a label before it has no SRV', async () => {
  const { bench } = await started()
  assert.equal(bench.ask('no.who.example', 'A'), ['asked'])
  assert.equal(bench.ask('example', 'A'), ['asked'])
  const long = `${`${'a'.repeat(59)}.`.repeat(4)}who.example`
  assert.is(bench.ask(long, 'A', { ednsBytes: 1232 }).length, 2)
})

test.run()
