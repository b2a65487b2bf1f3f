/**
 * Goal: `neardns cache` asks the right call, prints what comes back for people or programs, and misuse is one line. Method: a daemon's socket
 * that notes what it is asked.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cacheWith } from '../../../src/cli/operator/cache.ts'
import { captured } from '../../support/cli-io.ts'

interface World {
  folder: string
  server: Server
  admin: string
  asked: string[]
  reply: string
}

const test = suite<World>('cli/operator/cache')

test.before(async (world) => {
  world.folder = mkdtempSync(join(tmpdir(), 'neardns-cache-'))
  world.admin = join(world.folder, 'admin.sock')
  world.server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      world.asked.push(`${request.method} ${request.url} ${Buffer.concat(pieces)}`.trim())
      response.end(world.reply)
    })
  })
  await new Promise<void>((resolve) => world.server.listen(world.admin, resolve))
})

test.before.each((world) => {
  world.asked = []
  world.reply = '{}'
})

test.after(({ server, folder }) => {
  server.close()
  rmSync(folder, { recursive: true })
})

async function run({ admin }: World, argv: readonly string[], width?: number) {
  const bytes: Buffer[] = []
  const io = captured()
  const code = await cacheWith([...argv, '--admin', admin], {
    ...io,
    width,
    writeBytes: (piece) => void bytes.push(piece),
  })
  return { code, out: io.out(), err: io.err(), bytes: Buffer.concat(bytes).toString() }
}

const entry = {
  name: 'www.example.',
  type: 1,
  dnssecOk: true,
  checkingDisabled: false,
  kind: 'answer',
  zone: '.',
  group: 'external',
  ageSeconds: 3,
  leftSeconds: 27,
  hits: 5,
  bytes: 600,
  records: ['www.example.  27  IN  A  192.0.2.1'],
}

test('ls asks for a subtree, and has one line for each entry', async (world) => {
  world.reply = JSON.stringify({ entries: [entry], meant: 4, kept: 9, missing: 0 })
  const { code, out } = await run(
    world,
    ['ls', 'Bücher.example', 'A', '--negative', '--limit', '1'],
    80,
  )
  assert.equal(
    [code, world.asked],
    [0, ['GET /v1/cache?under=xn--bcher-kva.example&type=A&negative=&limit=1']],
  )
  assert.match(
    out,
    /^NAME +TYPE +KIND +LEFT +AGE +HITS\nwww\.example\. +A\+do +answer +27 s +3 s +5\n/,
  )
  assert.match(out, /4 of 9 entries; 1 of them are shown, --limit N\n$/)
})

test('get prints records; nothing cached is exit code 1', async (world) => {
  world.reply = JSON.stringify({ entries: [entry], meant: 1, kept: 1 })
  const found = await run(world, ['get', 'www.example', 'A'])
  assert.equal(world.asked, ['GET /v1/cache?name=www.example&type=A&records='])
  assert.is(
    found.out,
    'www.example. A+do: answer, zone ., 3 s old, 27 s left, 5 hits, 600 bytes\n  www.example.  27  IN  A  192.0.2.1\n',
  )
  world.reply = JSON.stringify({ entries: [], meant: 0, kept: 1 })
  const none = await run(world, ['get', 'www.example', 'A'])
  assert.equal([none.code, none.err], [1, 'neardns: nothing is cached for www.example A\n'])
})

test('flush names what it means', async (world) => {
  world.reply = JSON.stringify({ answers: 2, failures: 1, questions: 0, missing: 0 })
  const { out } = await run(world, ['flush', 'example', '--subtree'])
  assert.is(out, 'flushed 2 answers, 1 failures\n')
  await run(world, ['flush', 'www.example', 'AAAA'])
  await run(world, ['flush', '--all'])
  await run(world, ['flush', '--negative'])
  assert.equal(world.asked, [
    'POST /v1/cache/flush?under=example',
    'POST /v1/cache/flush?name=www.example&type=AAAA',
    'POST /v1/cache/flush?all=',
    'POST /v1/cache/flush?negative=',
  ])
})

test('workers that did not answer are a failure that is said', async (world) => {
  world.reply = JSON.stringify({ answers: 2, failures: 0, questions: 0, missing: 1 })
  const { code, out, err } = await run(world, ['flush', 'example', '--json'])
  assert.is(JSON.parse(out).answers, 2)
  assert.equal(
    [code, err],
    [1, 'neardns: 1 of the workers did not answer; what they hold is unknown\n'],
  )
})

test('what another program sends is not written as a dump', async (world) => {
  world.reply = '<!doctype html>'
  const file = join(world.folder, 'none')
  const { code, err } = await run(world, ['dump', file])
  assert.is(code, 1)
  assert.match(err, /^neardns: the reply is none of a neardns/)
  assert.not.ok(existsSync(file))
})

test('dump writes a file or a pipe, and never a terminal; load sends it', async (world) => {
  const dump = 'neardns cache\nbinary'
  world.reply = dump
  const file = join(world.folder, 'dump')
  assert.is((await run(world, ['dump', file])).code, 0)
  assert.is(readFileSync(file, 'utf8'), dump)
  assert.is((await run(world, ['dump'])).bytes, dump)
  assert.is((await run(world, ['dump'], 80)).code, 2)
  world.reply = JSON.stringify({ answers: 3, known: 1, expired: 0, refused: 2, missing: 0 })
  const { out } = await run(world, ['load', file])
  assert.is(out, 'loaded 3 answers; 1 were known, 0 have expired, 2 were refused\n')
  assert.is(world.asked.at(-1), `POST /v1/cache/load ${dump}`)
  assert.match(
    (await run(world, ['load', `${file}-missing`])).err,
    /^neardns: \S+: cannot be read: there is no such file$/m,
  )
})

const misuses: readonly string[][] = [
  [],
  ['list'],
  ['get'],
  ['load'],
  ['flush'],
  ['flush', 'a.example', '--all'],
  ['ls', '--subtree'],
  ['ls', 'a..b'],
  ['dump', 'file', 'more'],
  ['dump', ''],
  ['load', ''],
]
for (const argv of misuses) {
  test(`cache ${argv.join(' ')} is a misuse in one line`, async (world) => {
    const { code, out, err } = await run(world, argv)
    assert.equal([code, out, world.asked], [2, '', []])
    assert.match(err, /^neardns: [^\n]+\n$/)
  })
}

test.run()
