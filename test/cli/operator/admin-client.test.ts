/**
 * Goal: whatever keeps a command from its answer is one line that says what to do. Method: servers that refuse, are old, silent, cut off, or
 * not there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askAdmin, readPlace, reportRefusal } from '../../../src/cli/operator/admin-client.ts'
import { captured } from '../../support/cli-io.ts'
import { freePort } from '../../support/free-port.ts'

const test = suite<{ folder: string }>('cli/operator/admin-client')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-client-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

let sockets = 0

async function asking(folder: string, listener: RequestListener, request = { path: '/v1/x' }) {
  sockets += 1
  const path = join(folder, `${sockets}.sock`)
  const server = createHttpServer(listener)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const reply = await askAdmin({ kind: 'socket', path }, request)
  server.close()
  server.closeAllConnections()
  return { reply, path }
}

test('an answer comes as it is', async ({ folder }) => {
  const { reply } = await asking(folder, (request, response) => response.end(request.url))
  assert.is(reply.ok && reply.body.toString(), '/v1/x')
})

const refusals: readonly [
  what: string,
  status: number,
  body: string,
  why: RegExp,
  isMisuse: boolean,
][] = [
  [
    'a daemon that does not know the call',
    404,
    'There is nothing here.\n',
    /^the neardns at \S+ does not know this command: it is older/,
    false,
  ],
  ['a refusal in a page', 403, 'not you\nmore\n', /sock: not you$/, false],
  ['a mistake in JSON', 400, '{"error":"no such type"}\n', /sock: no such type$/, true],
]
for (const [what, status, body, expected, isMisuse] of refusals) {
  test(`${what} is one line`, async ({ folder }) => {
    const { reply } = await asking(folder, (_request, response) => {
      response.writeHead(status).end(body)
    })
    assert.ok(!reply.ok)
    if (reply.ok) return
    assert.match(reply.why, expected)
    const io = captured()
    assert.is(reportRefusal(io, reply), isMisuse ? 2 : 1)
    assert.is(io.err().split('\n').length, 2)
  })
}

test('a reply that is cut off is no answer', async ({ folder }) => {
  const { reply } = await asking(folder, (request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half', () => request.socket.destroy())
  })
  assert.ok(!reply.ok && /cannot ask \S+: /.test(reply.why))
})

test('nobody at the socket, or at the address, is said with what to look at', async ({
  folder,
}) => {
  const gone = join(folder, 'gone.sock')
  const reply = await askAdmin({ kind: 'socket', path: gone }, { path: '/' })
  assert.is(
    reply.ok ? '' : reply.why,
    `no neardns answers at ${gone}; is it running, with this admin.socket?`,
  )
  const port = await freePort()
  const at = { address: '127.0.0.1', port, family: 4 } as const
  const closed = await askAdmin({ kind: 'http', at, token: undefined }, { path: '/' })
  assert.match(
    closed.ok ? '' : closed.why,
    /^no admin server at 127\.0\.0\.1:\d+; start the daemon/,
  )
})

test('a port of another service is named as the likely mistake', async () => {
  const why = async (say: (socket: Socket) => void) => {
    const server = createServer((socket) => socket.once('data', () => say(socket)))
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    )
    const at = { address: '127.0.0.1', port, family: 4 } as const
    const reply = await askAdmin({ kind: 'http', at, token: undefined }, { path: '/' })
    server.close()
    return reply.ok ? '' : reply.why
  }
  assert.match(
    await why((socket) => socket.destroy()),
    /^cannot ask \S+: it closed the connection; is that the admin server\?$/,
  )
  assert.match(
    await why((socket) => socket.end('SSH-2.0-OpenSSH\r\n')),
    /^cannot ask \S+: what answers there is no HTTP; is that the admin server\?$/,
  )
})

test('the place is the socket that is there, the flag, or the usual address for a token', ({
  folder,
}) => {
  const token = join(folder, 'token')
  writeFileSync(token, 's3cret-0123456789\n')
  const place = (...args: Parameters<typeof readPlace>) => {
    const found = readPlace(...args)
    if (!found.ok) return found.why
    const { place: at } = found
    return at.kind === 'socket' ? at.path : `${at.at.address} ${at.at.port} ${at.token}`
  }
  assert.is(place('/a/b.sock', undefined, {}), '/a/b.sock')
  assert.is(place('run/b.sock', undefined, {}), 'run/b.sock')
  assert.is(place('./b.sock', undefined, {}), './b.sock')
  assert.is(place('192.0.2.1', undefined, {}), '192.0.2.1 9253 undefined')
  assert.match(
    place('b.sock', undefined, {}),
    /^--admin b\.sock: "b\.sock" is not an IP address; .*; the path of a socket has a \/$/,
  )
  assert.is(place(undefined, token, {}), '127.0.0.1 9253 s3cret-0123456789')
  assert.is(place('192.0.2.1:80', undefined, {}), '192.0.2.1 80 undefined')
  assert.match(place('fd00::a:9253', undefined, {}), /write \[fd00::a\]:9253/)
  assert.match(
    place(undefined, join(folder, 'none'), {}),
    /^--token-file \S+: cannot be read \(ENOENT\)/,
  )
  writeFileSync(join(folder, 'neardns-admin.sock'), '')
  assert.match(place(undefined, undefined, { XDG_RUNTIME_DIR: folder }), /admin\.sock$/)
})

test.run()
