/**
 * Goal: the operator's socket is for root and the daemon's own user, is never taken from a process that serves there, and leaves nothing
 * behind. Method: real sockets in a folder of the test; another user is a child process, where the test may change users.
 */
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askAdmin } from '../../../src/cli/operator/admin-client.ts'
import { PrivateSide } from '../../../src/daemon/operator/private-side.ts'
import { jsonPage } from '../../../src/observe/admin-calls.ts'
import { KeptLog } from '../support.ts'

const test = suite<{ folder: string }>('daemon/operator/private-side')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-private-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

interface World {
  readonly side: PrivateSide
  readonly log: KeptLog
}

function sideWith(answer = 'one'): World {
  const log = new KeptLog()
  const calls = [
    {
      method: 'GET' as const,
      path: '/v1/who',
      answer: ({ isRoot }: { isRoot: boolean }) => jsonPage({ answer, isRoot }),
    },
  ]
  const pages = () => ({ pages: new Map(), calls, onDefect: () => undefined })
  return { side: new PrivateSide({ log, pages }), log }
}

async function who(path: string): Promise<string> {
  const reply = await askAdmin({ kind: 'socket', path }, { path: '/v1/who' })
  return reply.ok ? reply.body.toString().trim() : reply.why
}

const other = { uid: 12345, gid: 12345 }
const isRoot = process.geteuid?.() === 0

test('its own user is answered, the file is for that user, and is gone after the end', async ({
  folder,
}) => {
  const path = join(folder, 'own.sock')
  const { side } = sideWith()
  assert.is(await side.listen(`/${path.slice(1)}`, false), path)
  assert.is(await who(path), JSON.stringify({ answer: 'one', isRoot }))
  assert.is(statSync(path).mode & 0o777, 0o600)
  await side.stop()
  assert.not.ok(existsSync(path))
})

test('another user is refused, in words when the file lets it in', async ({ folder }) => {
  // The other user has to reach this very program.
  if (!isRoot || spawnSync(process.execPath, ['-e', ''], other).status !== 0) return
  const path = join(folder, 'others.sock')
  const { side } = sideWith()
  await side.listen(`/${path.slice(1)}`, false)
  const script = `require('http').request({socketPath:${JSON.stringify(path)},path:'/v1/who',headers:{host:'localhost'}},(r)=>{r.setEncoding('utf8').on('data',(d)=>process.stdout.write(r.statusCode+' '+d))}).on('error',(e)=>process.stdout.write(e.code)).end()`
  const ask = () =>
    new Promise<string>((resolve) => {
      execFile(process.execPath, ['-e', script], other, (_error, out) => resolve(out))
    })
  try {
    chmodSync(folder, 0o755)
    assert.is(await ask(), 'EACCES')
    chmodSync(path, 0o666)
    assert.is(await ask(), '403 This socket is for root and user 0; you are user 12345.\n')
  } finally {
    await side.stop()
  }
})

test('the file of a killed process is replaced', async ({ folder }) => {
  const path = join(folder, 'stale.sock')
  const script = `require('net').createServer().listen(${JSON.stringify(path)},()=>process.kill(process.pid,'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
  assert.ok(existsSync(path))
  const { side } = sideWith()
  assert.is(await side.listen(`/${path.slice(1)}`, false), path)
  await side.stop()
})

test('a process that serves there keeps its path, unless it has handed over; then it leaves the file alone', async ({
  folder,
}) => {
  const path = `/${join(folder, 'served.sock').slice(1)}` as const
  const [first, second] = [sideWith('first'), sideWith('second')]
  await first.side.listen(path, false)
  assert.is(await second.side.listen(path, false), undefined)
  assert.match(JSON.stringify(second.log.lines), 'another process answers there')
  assert.match(await who(path), 'first')
  assert.is(await second.side.listen(path, true), path)
  assert.match(await who(path), 'second')
  await first.side.retire()
  assert.match(await who(path), 'second')
  await second.side.stop()
})

test('what is no socket stays as it is, and a path that cannot be had is logged', async ({
  folder,
}) => {
  const path = join(folder, 'file')
  writeFileSync(path, 'precious')
  const { side, log } = sideWith()
  for (const follows of [true, false])
    assert.is(await side.listen(`/${path.slice(1)}`, follows), undefined)
  assert.match(JSON.stringify(log.lines), 'no socket')
  assert.is(await side.listen('/nonexistent/neardns/admin.sock', false), undefined)
  assert.match(JSON.stringify(log.lines), 'its directory does not exist')
  assert.is(await side.listen('none', false), undefined)
  assert.equal(log.messages('warn').length, 3)
})

test.run()
