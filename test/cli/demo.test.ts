/*
 * Goal: a wrong call of the demo starts nothing; a port that cannot be had and an interrupt end it with the right exit code and nothing open.
 * Method: the verb with a daemon that the test plays. The account itself is tested in demo/story and e2e/demo.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DemoHooks, demo } from '../../src/cli/demo.ts'
import { BindError } from '../../src/system/bind.ts'
import { captured } from '../support/cli-io.ts'

const test = suite('cli/demo')

interface Played extends DemoHooks {
  started: number
}

function daemonThatFailsWith(error: unknown): Played {
  const played: Played = {
    isColoured: false,
    started: 0,
    startDaemon: () => {
      played.started += 1
      return Promise.reject(error)
    },
  }
  return played
}

const wrong: readonly (readonly string[])[] = [
  ['--port', '0'],
  ['--port', '65536'],
  ['--port', '53.5'],
  ['--port', 'dns'],
  ['--port'],
  ['--port='],
  ['now'],
  ['--twice'],
]
for (const argv of wrong) {
  test(`demo ${argv.join(' ')}: exit code 2, and nothing is started`, async () => {
    const io = captured()
    const played = daemonThatFailsWith(new Error('not to be started'))
    assert.is(await demo(argv, io, played), 2)
    assert.equal([io.out(), played.started], ['', 0])
    assert.match(io.err(), /^neardns: /)
  })
}

test('a port that cannot be had is one line, and exit code 1', async () => {
  const io = captured()
  const address = { address: '127.0.0.1', port: 53, family: 4 } as const
  const played = daemonThatFailsWith(new BindError('udp', address, { code: 'EACCES' }))
  assert.is(await demo(['--port', '53', '--once'], io, played), 1)
  assert.match(io.err(), /^neardns: cannot listen on udp 127\.0\.0\.1:53: not permitted.*\n$/)
  assert.is(io.out(), '')
})

test('a defect is not told as a port that is taken', async () => {
  const defect = new Error('defect')
  const thrown = await demo(['--once'], captured(), daemonThatFailsWith(defect)).catch(
    (error: unknown) => error,
  )
  assert.is(thrown, defect)
})

test('signals have their usual meaning again afterwards', async () => {
  const before = ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal))
  await demo(['--once'], captured(), daemonThatFailsWith(new Error('x'))).catch(() => undefined)
  assert.equal(
    ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal)),
    before,
  )
})

test.run()
