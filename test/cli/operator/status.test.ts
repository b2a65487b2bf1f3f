/** Goal: one screen says how a daemon is, and the exit code whether it is ready. Method: what a daemon would say. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { between } from '../../../src/cli/operator/numbers.ts'
import { status, statusLines } from '../../../src/cli/operator/status.ts'
import { captured } from '../../support/cli-io.ts'
import { StandInDaemon } from './support.ts'
import { liveOf } from './top/pictures.ts'

const test = suite<{ daemon: StandInDaemon }>('cli/operator/status')

test.before(async (context) => {
  context.daemon = await StandInDaemon.start()
})

test.after(({ daemon }) => daemon.stop())

test('every part has its line, and all fit a screen', () => {
  const now = liveOf()
  const lines = statusLines(now, between(undefined, now))
  assert.ok(lines.length <= 24)
  const text = lines.join('\n')
  for (const part of [
    'neardns 1.2.3, up 1 min 40 s: ready',
    'listening  169.254.20.10:53',
    '1 of 2 addresses: 169.254.20.10:53',
    '10 q/s, 90.0 % from the cache, p50 <= 0.25 ms, p99 <= 4 ms',
    'verified; 300 questions spared',
    '40 answers, 10 denials, 1.0 MiB of 32 MiB',
    'external udp://10.0.0.2:53 DOWN, 21.0 ms, 2 in flight, 7 failures',
    'NOERROR 900, NXDOMAIN 100',
  ])
    assert.match(text, part)
})

async function run(daemon: StandInDaemon, ...argv: string[]) {
  const io = captured()
  const code = await status([...argv, '--admin', daemon.admin], io)
  return { code, out: io.out(), err: io.err() }
}

test('a daemon that is not ready is exit code 1, with its reasons', async ({ daemon }) => {
  const {
    names: _n,
    clients: _c,
    slowest: _s,
    ...summary
  } = liveOf({ notReady: ['self-query: no answer'] })
  daemon.replies = { '/v1/status': summary }
  const { code, out } = await run(daemon)
  assert.is(code, 1)
  assert.match(out, /NOT READY\n +self-query: no answer\n/)
  assert.is(JSON.parse((await run(daemon, '--json')).out).queries, 1000)
  daemon.replies = {}
  assert.match((await run(daemon, '--json')).err, 'older than this one')
})

test('the configuration in force: what somebody has set comes first', async ({ daemon }) => {
  const settings = [
    { path: 'io', value: 'auto', from: 'default' },
    { path: 'listen', value: '127.0.0.1:53', from: 'neardns.yaml:3' },
  ]
  daemon.replies = { '/v1/config': { settings, more: 2 } }
  const { code, out } = await run(daemon, '--config')
  assert.is(code, 0)
  assert.equal(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      ['setting', 'value', 'from'],
      ['listen', '127.0.0.1:53', 'neardns.yaml:3'],
      ['io', 'auto', 'default'],
      ['2 more are left out'],
    ],
  )
})

test.run()
