/** Goal: `neardns slow` and `failures` tell where the time went. Method: what a daemon would say. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failures, slow } from '../../../src/cli/operator/flights.ts'
import { captured } from '../../support/cli-io.ts'
import { StandInDaemon } from './support.ts'

const test = suite<{ daemon: StandInDaemon }>('cli/operator/flights')

test.before(async (context) => {
  context.daemon = await StandInDaemon.start()
})

test.after(({ daemon }) => daemon.stop())

const flight = {
  atMs: new Date(2026, 5, 1, 9, 8, 7, 65).getTime(),
  ...{
    name: 'www.example.',
    type: 28,
    client: '10.1.2.3',
    clientPort: 4000,
    proto: 'udp',
    rcode: 'NOERROR',
  },
  ...{
    source: 'upstream',
    ede: -1,
    tookMs: 812.4,
    waitedMs: 10.5,
    isJoined: false,
    group: 'external',
  },
  sendings: [
    {
      upstream: 'udp://10.0.0.1:53',
      proto: 'udp',
      why: 'first',
      afterMs: 10.5,
      queuedMs: 2,
      rcode: 'SERVFAIL',
      endMs: 90,
    },
    {
      upstream: 'udp://10.0.0.3:53',
      proto: 'udp',
      why: 'failover',
      afterMs: 91,
      queuedMs: 0,
      lostTo: 'refused',
      endMs: 92.25,
    },
    {
      upstream: 'udp://10.0.0.2:53',
      proto: 'udp',
      why: 'hedge',
      afterMs: 400,
      queuedMs: 0,
      rcode: 'NOERROR',
      endMs: 812,
    },
    { upstream: 'udp://10.0.0.4:53', proto: 'udp', why: 'hedge', afterMs: 500, queuedMs: 0 },
  ],
  ...{ answeredBy: 'udp://10.0.0.2:53', count: 3 },
}

async function run(verb: typeof slow, daemon: StandInDaemon, ...argv: string[]) {
  const io = captured()
  const code = await verb([...argv, '--admin', daemon.admin], io)
  return { code, out: io.out(), err: io.err() }
}

test('each query has a line, and one for each time that it was sent', async ({ daemon }) => {
  daemon.replies = { '/v1/slow': { queries: [flight], missing: 0 } }
  const { code, out } = await run(slow, daemon)
  assert.is(code, 0)
  assert.equal(out.split('\n'), [
    '09:08:07.065     812 ms  NOERROR upstream  www.example. AAAA  from 10.1.2.3 over udp, 3 times',
    '    10.5 ms until it was asked',
    '    10.5 ms first to udp://10.0.0.1:53,    2.0 ms in the queue, SERVFAIL after 79.5 ms',
    '    91.0 ms failover to udp://10.0.0.3:53, lost after 1.3 ms: refused',
    '     400 ms hedge to udp://10.0.0.2:53, NOERROR after 412.0 ms',
    '     500 ms hedge to udp://10.0.0.4:53',
    '     812 ms answered by udp://10.0.0.2:53',
    '',
  ])
})

test('a client whose pod is known has its name', async ({ daemon }) => {
  const queries = [{ ...flight, pod: 'shop/cart-0' }]
  daemon.replies = { '/v1/slow': { queries, missing: 0 } }
  assert.match((await run(slow, daemon)).out, 'from shop/cart-0 (10.1.2.3) over udp')
})

test('a failure says that nobody answered, or that there was no room', async ({ daemon }) => {
  const { answeredBy: _by, ...silent } = { ...flight, rcode: 'SERVFAIL', source: 'failed' }
  const { group: _group, ...refused } = { ...silent, sendings: [] }
  daemon.replies = { '/v1/failures': { queries: [silent, refused], missing: 0 } }
  const { out } = await run(failures, daemon)
  assert.match(out, 'no upstream of external answered')
  assert.match(out, 'no room to wait')
})

test('a limit, JSON, none at all, and an older daemon', async ({ daemon }) => {
  daemon.replies = { '/v1/slow': { queries: [flight, flight, flight], missing: 0 } }
  assert.match((await run(slow, daemon, '--limit', '1')).out, /2 more are kept, --limit N\n$/)
  assert.is(JSON.parse((await run(slow, daemon, '--json')).out).queries.length, 3)
  assert.is((await run(slow, daemon, '--limit', '0')).code, 2)
  daemon.replies = { '/v1/slow': { queries: [], missing: 0 } }
  assert.match((await run(slow, daemon)).out, /^none is kept: no query that was answered waited/)
  const old = await run(failures, daemon)
  assert.is(old.code, 1)
  assert.match(old.err, 'older than this one')
})

test.run()
