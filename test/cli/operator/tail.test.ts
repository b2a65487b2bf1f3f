/** Goal: `neardns tail` shows queries until it is ended, and asks with its filters. Method: what a daemon would say. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tailUntil } from '../../../src/cli/operator/tail.ts'
import { captured } from '../../support/cli-io.ts'
import { until } from '../../support/process.ts'
import { StandInDaemon } from './support.ts'

const test = suite<{ daemon: StandInDaemon }>('cli/operator/tail')

test.before(async (context) => {
  context.daemon = await StandInDaemon.start()
})

test.before.each(({ daemon }) => {
  daemon.asked = []
  daemon.isSilent = false
  daemon.replies = { '/v1/tail': { lines: [line], lost: 0 } }
})

test.after(({ daemon }) => daemon.stop())

const line = {
  atMs: new Date(2026, 5, 1, 9, 8, 7, 65).getTime(),
  ...{ client: '10.1.2.3', proto: 'udp', name: 'www.example.', type: 1, rcode: 'NOERROR' },
  ...{ source: 'upstream', tookUs: 1234, upstream: 'udp://10.0.0.1:53' },
}

async function run(
  daemon: StandInDaemon,
  argv: readonly string[],
  signal = AbortSignal.timeout(20_000),
) {
  const io = captured()
  const code = await tailUntil([...argv, '--admin', daemon.admin], io, signal)
  return { code, out: io.out(), err: io.err() }
}

test('a line for each query, until there are as many as were wanted', async ({ daemon }) => {
  const { code, out } = await run(daemon, ['--count', '2'])
  const text =
    '09:08:07.065     1234 us  NOERROR upstream  www.example. A  10.1.2.3 udp  udp://10.0.0.1:53\n'
  assert.equal([code, out, daemon.asked.length], [0, text + text, 2])
})

test('one viewer asks again and again, with its filters', async ({ daemon }) => {
  await run(daemon, [
    'Bücher.example',
    '--type',
    'A',
    '--rcode',
    'servfail',
    '--slower',
    '5',
    '--count',
    '2',
    '--json',
  ])
  const [first, second] = daemon.asked
  assert.is(first, second)
  assert.match(
    first ?? '',
    /viewer=[0-9a-f-]{36}&under=xn--bcher-kva\.example&type=A&rcode=servfail&slower=5$/,
  )
})

test('what was too much is said, and an end that is wanted is no failure', async ({ daemon }) => {
  daemon.replies = { '/v1/tail': { lines: [], lost: 7 } }
  const ending = new AbortController()
  const io = captured()
  const running = tailUntil(['--admin', daemon.admin], io, ending.signal)
  await until('the complaint', () => io.err() !== '', { timeoutMs: 20_000 })
  ending.abort()
  assert.is(await running, 0)
  assert.match(io.err(), /^neardns: 7 more came than can be shown/)
})

test('an end that is wanted waits for no daemon that hangs', async ({ daemon }) => {
  daemon.isSilent = true
  const ending = new AbortController()
  const running = run(daemon, [], ending.signal)
  await until('a request', () => daemon.asked.length > 0, { timeoutMs: 20_000 })
  ending.abort()
  const begun = performance.now()
  assert.equal(await running, { code: 0, out: '', err: '' })
  // Without the signal it would be the 5 s of a request.
  assert.ok(performance.now() - begun < 3000)
})

test('another program at the address is said in one line', async ({ daemon }) => {
  daemon.replies['/v1/tail'] = 'hello'
  const { code, err } = await run(daemon, [])
  assert.is(code, 1)
  assert.match(err, /^neardns: the reply is none of a neardns[^\n]*\n$/)
})

test('misuse, and a daemon that is gone', async ({ daemon }) => {
  assert.is((await run(daemon, ['--count', '0'])).code, 2)
  assert.is((await run(daemon, ['a..b'])).code, 2)
  daemon.replies = {}
  assert.is((await run(daemon, [])).code, 1)
})

test.run()
