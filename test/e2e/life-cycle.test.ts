/*
 * Goal: the process starts or says in one line why not, changes its configuration without losing a query or an answer, writes
 * nothing but JSON lines, and ends in order. Method: the daemon as a child process, with scripted upstreams here.
 */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { header, labels, name, octets, question } from '../fixtures/packets/octets.ts'
import { askUdp, lookup, type Server, TcpClient, UdpClient } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'
import { Neardns } from '../support/neardns.ts'
import { until } from '../support/process.ts'
import { FakeUpstream } from '../upstream/fake-upstream.ts'

interface Context {
  folder: string
  upstream: FakeUpstream
}

const test = suite<Context>('e2e/life-cycle')

test.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-life-'))
  context.upstream = await FakeUpstream.start()
})

test.after(async ({ folder, upstream }) => {
  await upstream.stop()
  rmSync(folder, { recursive: true })
})

test.before.each(({ upstream }) => {
  upstream.behave = (query) => query.answer()
  upstream.queries.length = 0
})

interface Running {
  readonly neardns: Neardns
  readonly server: Server
  readonly file: string
  /** Writes the configuration file anew. */
  write(settings: object): void
}

/** Runs the daemon with a configuration file while `body` runs. */
async function withDaemon(
  { folder, upstream }: Context,
  settings: object,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const port = await freePort()
  const file = join(folder, `${port}.yaml`)
  const write = (changed: object) =>
    writeFileSync(
      file,
      JSON.stringify({
        listen: [`127.0.0.1:${port}`],
        external: { upstreams: [`127.0.0.1:${upstream.port}`] },
        ...changed,
      }),
    )
  write(settings)
  const neardns = await Neardns.start({ args: ['--config', file] })
  try {
    await body({ neardns, server: { host: '127.0.0.1', port }, file, write })
  } finally {
    if (neardns.child.running) await neardns.stop()
  }
}

/** Runs it to its end and returns what it wrote, for starts that must fail. */
async function failedStart(
  args: readonly string[],
): Promise<{ code: number | null; lines: readonly string[] }> {
  const { child } = Neardns.spawn({ args })
  const timer = setTimeout(() => child.process.kill('SIGKILL'), 10_000)
  const { code } = await child.exited
  clearTimeout(timer)
  return { code, lines: child.lines.filter((line) => !line.startsWith('{')) }
}

function logged(neardns: Neardns, text: string): Promise<string> {
  return neardns.child.line((line) => line.includes(text), 5000)
}

test('on SIGTERM questions in flight are answered, new ones are not taken, and the exit code is 0', async (context) => {
  await withDaemon(context, {}, async ({ neardns, server }) => {
    context.upstream.behave = (query) => query.after(600, () => query.answer())
    const udp = await UdpClient.open(server)
    const tcp = await TcpClient.open(server)
    udp.send(writeQuery('open-udp.example', 'A', { id: 1 }))
    tcp.send(writeQuery('open-tcp.example', 'A', { id: 2 }))
    await until('asked', () => context.upstream.queries.length >= 2)
    neardns.child.process.kill('SIGTERM')
    await logged(neardns, '"stopping"')
    const late = await askUdp(server, writeQuery('late.example', 'A'), 300)
    const replies = [await udp.next(), await tcp.next()]
    assert.equal(
      replies.map((reply) => reply?.readUInt16BE(0)),
      [1, 2],
    )
    assert.is(late, undefined)
    await udp.close()
    await tcp.close()
    assert.equal(await neardns.child.exited, { code: 0, signal: null })
    assert.not(context.upstream.queries.some(({ qname }) => qname === 'late.example'))
  })
})

test('a stop does not wait longer than its deadline for an upstream that is silent', async (context) => {
  await withDaemon(context, { drain: { deadlineMs: 300 } }, async ({ neardns, server }) => {
    context.upstream.behave = () => undefined
    const client = await UdpClient.open(server)
    client.send(writeQuery('never.example', 'A', { id: 7 }))
    await until('asked', () => context.upstream.queries.length > 0)
    const startMs = performance.now()
    const exit = await neardns.stop()
    assert.ok(performance.now() - startMs < 1500)
    assert.is(exit.code, 0)
    // Better a SERVFAIL than silence.
    assert.is((await client.next(200))?.readUInt16BE(0), 7)
    await client.close()
  })
})

test('a stop does not wait for those who have got a stale answer', async (context) => {
  await withDaemon(context, {}, async ({ neardns, server }) => {
    context.upstream.behave = (query) => query.answer({ ttl: 1 })
    await lookup(server, 'stale.example', 'A')
    context.upstream.behave = () => undefined
    await new Promise((resolve) => setTimeout(resolve, 1050))
    const stale = await lookup(server, 'stale.example', 'A')
    assert.is(stale.answers[0]?.ttl, 30)
    const startMs = performance.now()
    await neardns.stop()
    assert.ok(performance.now() - startMs < 1000, 'it waited')
  })
})

test('SIGHUP applies a changed file and keeps sockets, cache and questions in flight', async (context) => {
  await withDaemon(context, {}, async ({ neardns, server, write }) => {
    await lookup(server, 'cached.example', 'A')
    const tcp = await TcpClient.open(server)
    context.upstream.behave = (query) => query.after(500, () => query.answer())
    tcp.send(writeQuery('in-flight.example', 'A', { id: 5 }))
    await until('asked', () =>
      context.upstream.queries.some(({ qname }) => qname === 'in-flight.example'),
    )
    write({ cache: { entriesMax: 60_000 }, log: { queries: { sampleOneIn: 1 } } })
    neardns.child.process.kill('SIGHUP')
    await logged(neardns, 'configuration applied')
    assert.is((await tcp.next())?.readUInt16BE(0), 5)
    await lookup(server, 'cached.example', 'A')
    // The new setting is in force: the line is written. The upstream's count would say less: after 500 ms of silence a trial asks the latest question that was answered.
    const line = await logged(neardns, '"qname":"cached.example."')
    assert.match(line, '"source":"cacheSuccess"')
    await tcp.close()
  })
})

test('a reload under load loses no query', async (context) => {
  await withDaemon(context, {}, async ({ neardns, server, write }) => {
    const client = await UdpClient.open(server)
    let answered = 0
    for (let i = 0; i < 300; i++) {
      client.send(writeQuery(`load${i % 50}.example`, 'A'))
      if (i % 100 === 50) {
        write({ cache: { entriesMax: 50_000 + i } })
        neardns.child.process.kill('SIGHUP')
      }
      if ((await client.next(3000)) !== undefined) answered += 1
    }
    assert.is(answered, 300)
    await client.close()
  })
})

test('a file that has become wrong changes nothing, and the log names every mistake', async (context) => {
  await withDaemon(context, {}, async ({ neardns, server, file, write }) => {
    await lookup(server, 'before.example', 'A')
    writeFileSync(file, 'listen: [nonsense]\ncache: { entriesMax: -1 }\n')
    neardns.child.process.kill('SIGHUP')
    const line = await logged(neardns, 'the old one stays')
    assert.match(line, /nonsense/)
    assert.match(line, /entriesMax/)
    assert.is((await lookup(server, 'before.example', 'A')).answers.length, 1)
    assert.is((await lookup(server, 'after.example', 'A')).answers.length, 1)
    write({})
    neardns.child.process.kill('SIGHUP')
    await logged(neardns, 'configuration applied')
  })
})

test('a new listening address that cannot be had leaves the old configuration in force', async (context) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const takenPort = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await withDaemon(context, {}, async ({ neardns, server, write }) => {
      write({ listen: [`127.0.0.1:${server.port}`, `127.0.0.1:${takenPort}`] })
      neardns.child.process.kill('SIGHUP')
      assert.match(await logged(neardns, 'could not be applied'), new RegExp(`${takenPort}`))
      assert.is((await lookup(server, 'still.example', 'A')).answers.length, 1)
    })
  } finally {
    taken.close()
    await once(taken, 'close')
  }
})

test('a file that changes is applied without a signal', async (context) => {
  await withDaemon(context, {}, async ({ neardns, write }) => {
    write({ cache: { entriesMax: 1234 } })
    assert.match(await logged(neardns, 'configuration applied'), /file changed/)
  })
})

const hostile: readonly (readonly [string, Buffer])[] = [
  ['a line feed', octets(11, 'line\nbreak\r', labels('test'), 0)],
  ['terminal escapes', octets(9, 0x1b, '[31mred', 0x07, labels('test'), 0)],
  ['quotes and a backslash', octets(8, '","a":\\"', labels('test'), 0)],
  ['a line separator', octets(3, 0xe2, 0x80, 0xa8, labels('test'), 0)],
  ['C1 controls', octets(3, 0x80, 0x9b, 0x9f, labels('test'), 0)],
  ['a zero octet', octets(3, 'a', 0, 'b', labels('test'), 0)],
  ['__proto__', name('__proto__.test')],
]

test('whatever names are asked for, every line of the log is JSON without control characters', async (context) => {
  await withDaemon(
    context,
    { log: { level: 'debug', queries: { sampleOneIn: 1 } } },
    async ({ neardns, server }) => {
      for (const [what, qname] of hostile) {
        const reply = await askUdp(server, octets(header({}), question(qname, 1)))
        assert.ok(reply !== undefined, what)
      }
      const queries = () => neardns.child.lines.filter((line) => line.includes('"msg":"query"'))
      // Answered last, logged last.
      await until('logged', () => queries().some((line) => line.includes('__proto__')))
      for (const line of neardns.child.lines) {
        assert.not.throws(() => JSON.parse(line), line)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        assert.not(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line), line)
      }
      const names = queries().map((line) => String((JSON.parse(line) as { qname: unknown }).qname))
      assert.ok(names.includes('line\\010break\\013.test.'), names.join(' '))
      assert.ok(names.includes('__proto__.test.'))
    },
  )
})

test('a taken port is one clear line, and the exit code is not 0', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { code, lines } = await failedStart([
    '--listen',
    `127.0.0.1:${port}`,
    '--upstream',
    '127.0.0.1:9',
  ])
  taken.close()
  await once(taken, 'close')
  assert.is.not(code, 0)
  assert.is(lines.length, 1, lines.join('\n'))
  assert.match(
    lines[0] ?? '',
    new RegExp(`cannot listen on (tcp|udp) 127\\.0\\.0\\.1:${port}.*another process`),
  )
})

test('an address that is not ours is one clear line, and the exit code is not 0', async () => {
  const { code, lines } = await failedStart([
    '--listen',
    '192.0.2.77:5353',
    '--upstream',
    '127.0.0.1:9',
  ])
  assert.is.not(code, 0)
  assert.is(lines.length, 1, lines.join('\n'))
  assert.match(lines[0] ?? '', /192\.0\.2\.77:5353.*not on any interface/)
})

test('a file that cannot be read is one clear line, and the exit code is 2', async ({ folder }) => {
  const { code, lines } = await failedStart(['--config', join(folder, 'missing.yaml')])
  assert.equal([code, lines.length], [2, 1], lines.join('\n'))
  assert.match(lines[0] ?? '', /missing\.yaml.*no such file/)
})

test('an address that is none is one clear line, and the exit code is 2', async () => {
  const { code, lines } = await failedStart(['--listen', 'localhost'])
  assert.equal([code, lines.length], [2, 1], lines.join('\n'))
  assert.match(lines[0] ?? '', /--listen localhost/)
})

test('an upstream that is our own address is one clear line, and the exit code is 2', async () => {
  const { code, lines } = await failedStart([
    '--listen',
    '127.0.0.1:5999',
    '--upstream',
    '127.0.0.1:5999',
  ])
  assert.equal([code, lines.length], [2, 1], lines.join('\n'))
  assert.match(lines[0] ?? '', /forwarding loop/)
})

test.run()
