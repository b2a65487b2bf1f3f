/**
 * Goal: what the first program of the image opens in the place of node-cache keeps queries of the start, and is left alone where somebody serves.
 * Method: the program itself, with a stand-in for Node that says what it got; the reader with sockets of this process.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FirstSockets, firstSocketsIn } from '../../src/system/first-sockets.ts'
import { openTcpSocket, openUdpSocket } from '../../src/system/open-socket.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { freePort } from '../support/free-port.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('system/first-sockets'), 'clang')

const source = new URL('../../src/system/first-sockets.c', import.meta.url).pathname

/** Says its arguments, the variable, and which kind its descriptors are, a line each. */
const standIn = `#!/bin/sh
echo "$@"
echo "$NEARDNS_FIRST_SOCKETS"
for fd in 100 101 102 103; do readlink /proc/$$/fd/$fd | sed 's/:.*//'; done
`

class Program {
  private readonly directory = mkdtempSync(join(tmpdir(), 'neardns-first-'))
  private readonly path = join(this.directory, 'start')

  constructor() {
    const node = join(this.directory, 'node')
    writeFileSync(node, standIn)
    chmodSync(node, 0o755)
    execFileSync('clang', [
      ...['-O2', '-Wall', '-Wextra', '-Werror', `-DNODE=${JSON.stringify(node)}`],
      ...['-o', this.path, source],
    ])
  }

  run(
    args: readonly string[],
    name = this.path,
  ): { argv: string; variable: string; fds: string[] } {
    const { stdout } = spawnSync(this.path, args, { argv0: name, encoding: 'utf8', env: {} })
    const [argv = '', variable = '', ...fds] = stdout.split('\n')
    return { argv: argv.replaceAll(this.directory, ''), variable, fds: fds.filter(Boolean) }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true })
  }
}

function withProgram(body: (program: Program) => Promise<void> | void): () => Promise<void> {
  return async () => {
    const program = new Program()
    try {
      await body(program)
    } finally {
      program.remove()
    }
  }
}

test(
  'it opens a socket of each kind at each address that is free, and hands its arguments on',
  withProgram(async (program) => {
    const port = await freePort()
    const args = ['-localip=127.0.0.1,::1,192.0.2.1,x', '--dns.port', String(port), '-conf', 'f']
    const found = program.run(args)
    assert.is(found.variable, `127.0.0.1:${port}=100,101;[::1]:${port}=102,103;`)
    assert.equal(found.fds, ['socket', 'socket', 'socket', 'socket'])
    assert.is(found.argv, `/main.js ${args.join(' ')}`)
  }),
)

test(
  "by node-cache's name it says so to Node; for other verbs and wrong ports it opens nothing",
  withProgram((program) => {
    assert.is(program.run(['-version'], '/node-cache').argv, '/main.js node-cache -version')
    assert.is(program.run(['run', '--listen', '127.0.0.1:0'], '/app/start').variable, '')
    for (const port of ['0', '65536', 'x', '']) {
      assert.is(program.run(['-localip', '127.0.0.1', '-p', port]).variable, '', port)
    }
    assert.is(program.run(['-localip']).variable, '')
  }),
)

test(
  'it leaves an address alone at which somebody listens, though the port could be shared',
  withProgram(async (program) => {
    const other = createSocket({ type: 'udp4', reusePort: true })
    other.bind(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address()
    assert.is(program.run(['-localip', '127.0.0.1', '-p', String(port)]).variable, '')
    other.close()
  }),
)

test('sockets are given once, closed on exec then; those that nobody takes are closed', () => {
  const calls = loadSystemCalls()
  const at = (port: number) => ({ address: '127.0.0.1', family: 4, port }) as const
  const open = () => [openUdpSocket(calls, at(0)), openTcpSocket(calls, at(0))].join()
  const [taken, left] = [open(), open()]
  const environment = {
    NEARDNS_FIRST_SOCKETS: `127.0.0.1:5301=${taken};127.0.0.1:5302=${left};127.0.0.1:5303=0,1;`,
  }
  assert.equal(
    firstSocketsIn(environment).map((one) => one.at),
    ['127.0.0.1:5301', '127.0.0.1:5302'],
    'what is no socket does not count',
  )
  const sockets = new FirstSockets(environment)
  assert.equal(environment, {}, 'children must not see it')
  const got = sockets.take(at(5301))
  assert.equal(got?.udp.address, at(5301))
  assert.is(sockets.take(at(5301)), undefined)
  sockets.closeRest()
  sockets.closeRest()
  const [udp = '', tcp = ''] = left.split(',')
  assert.equal(firstSocketsIn({ NEARDNS_FIRST_SOCKETS: `127.0.0.1:5302=${udp},${tcp};` }), [])
  for (const fd of [got?.udp.fd ?? -1, got?.tcp.fd ?? -1]) calls.closeDescriptor(fd)
})

test.run()
