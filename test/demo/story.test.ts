// Goal: the demo's account is a measurement. In front of a forwarder that keeps nothing it must say so: no answer
// from a cache, none stale, every question upstream.
// Method: the whole demo in this process, with such a forwarder in the place of the daemon.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { demo } from '../../src/cli/demo.ts'
import type { Config } from '../../src/config/schema.ts'
import type { StartDaemon, Stoppable } from '../../src/demo/theatre.ts'
import { BindError } from '../../src/system/bind.ts'
import { freePort } from '../support/free-port.ts'

const test = suite('demo/story')

/** Sends each query on over UDP, by its domain, and its reply back; SERVFAIL when nobody listens there. */
async function startForwarder(config: Config): Promise<Stoppable> {
  const [listen] = config.listen
  const [cluster] = config.cluster.upstreams
  const [external] = config.external.upstreams
  if (!listen || !cluster || !external) throw new Error('incomplete configuration')
  const server = createSocket('udp4')
  server.bind(listen.port, listen.address)
  await once(server, 'listening')
  server.on('message', (query, { port, address }) => {
    const isCluster = query.includes(Buffer.from('\x07cluster\x05local\0', 'latin1'))
    const client = createSocket('udp4')
    const answer = (reply: Buffer) => {
      server.send(reply, port, address)
      client.close()
    }
    const servfail = Buffer.from(query)
    servfail[2] = 0x80
    servfail[3] = 2
    client.once('error', () => answer(servfail))
    client.once('message', answer)
    client.connect((isCluster ? cluster : external).port, '127.0.0.1', () => {
      client.send(query, () => undefined)
    })
  })
  return {
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

async function play(argv: readonly string[], startDaemon: StartDaemon, isColoured = false) {
  const printed = { stdout: '', stderr: '' }
  const io = {
    stdout: (text: string) => {
      printed.stdout += text
    },
    stderr: (text: string) => {
      printed.stderr += text
    },
  }
  const code = await demo(argv, io, { startDaemon, isColoured })
  return { code, ...printed }
}

test('the account of a forwarder without a cache shows that it has none', async () => {
  const port = String(await freePort())
  const { code, stdout } = await play(['--once', '--port', port], startForwarder)
  assert.is(code, 0)
  assert.not.match(stdout, / (stale )?cache {2}/)
  assert.not.match(stdout, '\x1b')
  const [, questions = '', upstream = ''] =
    /(\d+) questions from pods, (\d+) queries/.exec(stdout) ?? []
  // What CoreDNS would have answered while it was down reaches nobody.
  const unanswered = [...stdout.matchAll(/SERVFAIL +nobody/g)].length
  assert.ok(Number(questions) > 40, stdout)
  assert.is(Number(upstream), Number(questions) - unanswered)
  assert.match(stdout, '0 over TCP')
  assert.match(stdout, '0 (0 %) were answered without leaving the node')
})

test('a taken port makes the demo take the next one', async () => {
  const tried: number[] = []
  const startDaemon: StartDaemon = async (config) => {
    const [listen] = config.listen
    tried.push(listen?.port ?? 0)
    if (tried.length < 3) {
      const cause = Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
      throw new BindError(
        'udp',
        { address: '127.0.0.1', port: listen?.port ?? 0, family: 4 },
        cause,
      )
    }
    return await startForwarder(config)
  }
  const port = await freePort()
  const { code } = await play(['--once', '--port', String(port)], startDaemon, true)
  assert.is(code, 0)
  assert.equal(tried, [port, port + 1, port + 2])
})

test('a daemon that cannot listen for another reason ends the demo with one line', async () => {
  const cause = Object.assign(new Error('no'), { code: 'EACCES' })
  const startDaemon: StartDaemon = () =>
    Promise.reject(new BindError('udp', { address: '127.0.0.1', port: 53, family: 4 }, cause))
  const { code, stderr, stdout } = await play(['--once', '--port', '53'], startDaemon)
  assert.is(code, 1)
  assert.match(stderr, /^neardns: cannot listen on udp 127\.0\.0\.1:53: .*\n$/)
  assert.is(stdout, '')
})

test('a misused command line is refused with the usage', async () => {
  for (const argv of [['--port', 'x'], ['--port', '0'], ['here'], ['--twice']]) {
    const { code, stderr } = await play(argv, startForwarder)
    assert.is(code, 2, argv.join(' '))
    assert.ok(stderr.length > 0)
  }
})

test.run()
