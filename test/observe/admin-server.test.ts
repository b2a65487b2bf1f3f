/**
 * Goal: the admin server answers its pages and nothing else, and nobody can make it hold memory, time or
 * connections. Method: a real server on loopback, spoken to in octets where a client library would be too polite.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Access } from '../../src/observe/admin-access.ts'
import { type AdminCall, jsonPage } from '../../src/observe/admin-calls.ts'
import { standardPages, timed } from '../../src/observe/admin-pages.ts'
import { AdminServer, type PageSource } from '../../src/observe/admin-server.ts'

const test = suite('observe/admin-server')

interface Running {
  readonly port: number
  readonly defects: unknown[]
}

const pages = new Map<string, PageSource>([
  [
    '/metrics',
    async () => ({ status: 200, contentType: 'text/plain; version=0.0.4', body: 'a 1\n' }),
  ],
  ['/health', () => ({ status: 200, body: 'OK\n' })],
  ['/broken', () => Promise.reject(new Error('secret detail'))],
  [
    '/thrown',
    () => {
      throw new Error('secret detail')
    },
  ],
  ['/large', () => ({ status: 200, body: 'x'.repeat(20_000_000) })],
])

async function withServer(
  body: (running: Running) => Promise<void>,
  served: ReadonlyMap<string, PageSource> = pages,
): Promise<void> {
  const defects: unknown[] = []
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: served,
    onDefect: (error) => defects.push(error),
  })
  const { port } = await server.start()
  try {
    await body({ port, defects })
  } finally {
    await server.stop()
  }
}

/** @param from 127.0.0.1 is this node, all others count as other hosts */
async function open(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Unlike `once(socket, 'close')`, it takes a reset for an end as well. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

/** Sends octets and returns everything that comes until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = await open(port)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.write(request)
  await ended(socket)
  return text
}

const get = (port: number, path: string, host = '127.0.0.1', method = 'GET') =>
  raw(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)

test('a page comes with its status, type and length, and is not to be stored', async () => {
  await withServer(async ({ port }) => {
    const reply = await get(port, '/metrics')
    assert.match(reply, /^HTTP\/1\.1 200 /)
    assert.match(reply, /\r\ncontent-type: text\/plain; version=0\.0\.4\r\n/i)
    assert.match(reply, /\r\ncontent-length: 4\r\n/i)
    assert.match(reply, /\r\ncache-control: no-store\r\n/i)
    assert.match(reply, /\r\n\r\na 1\n$/)
  })
})

test('a query string changes nothing', async () => {
  await withServer(async ({ port }) => {
    assert.match(await get(port, '/health?verbose=1'), /^HTTP\/1\.1 200 /)
  })
})

test('an unknown path gets the list of those there are, and is not repeated', async () => {
  await withServer(async ({ port }) => {
    const reply = await get(port, '/<script>alert(1)</script>')
    assert.match(reply, /^HTTP\/1\.1 404 /)
    assert.match(reply, /\/metrics\n\/health\n/)
    assert.not(reply.includes('script'))
  })
})

test('paths that are names of objects of the language are unknown paths', async () => {
  await withServer(async ({ port }) => {
    for (const path of ['/__proto__', '/constructor', '/toString', '//health', '/health/']) {
      assert.match(await get(port, path), /^HTTP\/1\.1 404 /, path)
    }
  })
})

test('every other method is refused', async () => {
  await withServer(async ({ port }) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
      const reply = await get(port, '/health', '127.0.0.1', method)
      assert.match(reply, /^HTTP\/1\.1 405 /, method)
      assert.match(reply, /\r\nallow: GET, HEAD\r\n/i)
    }
    assert.not((await get(port, '/health', '127.0.0.1', 'CONNECT')).startsWith('HTTP/1.1 2'))
  })
})

test('HEAD is answered as GET, without the body', async () => {
  await withServer(async ({ port }) => {
    for (const path of ['/health', '/metrics', '/large', '/nothing']) {
      const [head = '', body] = (await get(port, path, '127.0.0.1', 'HEAD')).split('\r\n\r\n')
      const [same = ''] = (await get(port, path)).split('\r\n\r\n')
      assert.is(head.replace(/date: .*/i, ''), same.replace(/date: .*/i, ''), path)
      assert.is(body, '', path)
    }
  })
})

test('only IP addresses and localhost are accepted as Host: a name could be anybody', async () => {
  await withServer(async ({ port }) => {
    const good = [
      '127.0.0.1',
      `127.0.0.1:${port}`,
      'localhost',
      'LOCALHOST:9253',
      '[::1]',
      '[fd00::1]:9253',
    ]
    for (const host of good)
      assert.match(await get(port, '/health', host), /^HTTP\/1\.1 200 /, host)
    const bad = [
      'evil.example',
      'evil.example:9253',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.1',
      '[127.0.0.1]',
      '::1',
      '[::1',
      'localhost:9253:1',
      'localhost@evil.example',
      '',
    ]
    for (const host of bad) assert.match(await get(port, '/health', host), /^HTTP\/1\.1 421 /, host)
  })
})

test('a request without Host, or with two, is refused', async () => {
  await withServer(async ({ port }) => {
    const without = await raw(port, 'GET /health HTTP/1.0\r\n\r\n')
    assert.match(without, /^HTTP\/1\.1 421 /)
    assert.match(without, 'admin.hostNames')
    const host = 'Host: localhost\r\nHost: evil.example\r\nConnection: close\r\n'
    assert.match(await raw(port, `GET /health HTTP/1.1\r\n${host}\r\n`), /^HTTP\/1\.1 4\d\d /)
  })
})

test('a page that fails is a 500 without details, reported, and the server goes on', async () => {
  await withServer(async ({ port, defects }) => {
    for (const path of ['/broken', '/thrown']) {
      const reply = await get(port, path)
      assert.match(reply, /^HTTP\/1\.1 500 /)
      assert.not(reply.includes('secret'))
    }
    assert.is(defects.length, 2)
    assert.match(await get(port, '/health'), /^HTTP\/1\.1 200 /)
  })
})

test('what is no HTTP, and headers that are too long, end the connection', async () => {
  await withServer(async ({ port }) => {
    assert.not((await raw(port, '\u0000\u0001\u0002 what\r\n\r\n')).includes(' 200 '))
    const long = `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`
    assert.not((await raw(port, long)).includes(' 200 '))
    const longPath = `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    assert.not((await raw(port, longPath)).includes(' 200 '))
  })
})

test('a body is not waited for: the request is answered and the connection ends', async () => {
  await withServer(async ({ port }) => {
    const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc'
    assert.match(await raw(port, request), /^HTTP\/1\.1 200 [\s\S]*connection: close/i)
  })
})

test('a connection serves several requests', async () => {
  await withServer(async ({ port }) => {
    const one = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const last = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    const reply = await raw(port, one + one + last)
    assert.is(reply.split('HTTP/1.1 200 ').length - 1, 3)
  })
})

test('requests that are sent ahead by the hundred are not all answered: each reply would take memory in the same moment', async () => {
  let made = 0
  const counting = new Map<string, PageSource>([
    [
      '/metrics',
      async () => {
        made += 1
        return { status: 200, body: 'x'.repeat(40_000) }
      },
    ],
  ])
  await withServer(async ({ port }) => {
    await raw(port, 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(500))
    assert.ok(made >= 1 && made <= 8, `${made} pages were made`)
  }, counting)
})

test('silent connections of this node make room for one that asks: a probe always gets in', async () => {
  await withServer(async ({ port }) => {
    const held = await Promise.all(Array.from({ length: 150 }, () => open(port)))
    for (let i = 0; i < 40; i++) {
      assert.match(await get(port, '/health'), /^HTTP\/1\.1 200 /)
      held.push(await open(port))
    }
    for (const socket of held) socket.destroy()
  })
})

test('silent connections of many other hosts take no place from this node, and make room among themselves', async () => {
  await withServer(async ({ port }) => {
    const hosts = Array.from({ length: 30 }, (_, i) => `127.0.1.${i + 1}`)
    const held = await Promise.all(
      hosts.flatMap((host) => [1, 2, 3, 4, 5].map(() => open(port, host))),
    )
    assert.match(await get(port, '/health'), /^HTTP\/1\.1 200 /)
    const scraper = await open(port, '127.0.2.1')
    scraper.write('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    const [reply]: Buffer[] = await once(scraper, 'data')
    assert.match(String(reply), / 200 /)
    for (const socket of [...held, scraper]) socket.destroy()
  })
})

test('a request that never ends is cut off', async () => {
  await withServer(async ({ port }) => {
    const startedMs = performance.now()
    await raw(port, 'GET /health HTTP/1.1\r\nHost: local')
    const tookMs = performance.now() - startedMs
    // Twice the time that a request may take, and a busy machine.
    assert.ok(tookMs > 3000 && tookMs < 14_000, `${tookMs} ms`)
  })
})

test('stop ends connections in use, and the port is free again', async () => {
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages,
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  const socket = await open(port)
  socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n')
  socket.pause()
  await once(socket, 'readable')
  const closed = once(socket, 'close')
  await server.stop()
  socket.resume()
  await closed
  const again = new AdminServer({
    listen: { address: '127.0.0.1', port },
    pages,
    onDefect: () => undefined,
  })
  await again.start()
  await again.stop()
})

test('a taken port is an error of start', async () => {
  await withServer(async ({ port }) => {
    const other = new AdminServer({
      listen: { address: '127.0.0.1', port },
      pages,
      onDefect: () => undefined,
    })
    const error = await other.start().then(
      () => undefined,
      (thrown: NodeJS.ErrnoException) => thrown,
    )
    assert.is(error?.code, 'EADDRINUSE')
    await other.stop()
  })
})

test('the probes: health says OK always, ready and startup give reasons until there are none', async () => {
  let reasons = ['self-query: waiting for an answer']
  let isStarted = false
  const served = standardPages({
    metrics: async () => ({ contentType: 'text/plain', body: 'a 1\n' }),
    ready: () => reasons,
    isStarted: () => isStarted,
  })
  await withServer(async ({ port }) => {
    assert.match(await get(port, '/health'), / 200 [\s\S]*OK\n$/)
    assert.match(await get(port, '/ready'), / 503 [\s\S]*self-query: waiting for an answer\n$/)
    assert.match(await get(port, '/startup'), / 503 [\s\S]*self-query: waiting for an answer\n/)
    reasons = []
    isStarted = true
    assert.match(await get(port, '/ready'), / 200 /)
    assert.match(await get(port, '/startup'), / 200 /)
    reasons = ['drain: stopping']
    assert.match(await get(port, '/ready'), / 503 /)
    assert.match(await get(port, '/startup'), / 200 /)
    assert.match(await get(port, '/metrics'), / 200 [\s\S]*a 1\n$/)
  }, served)
})

test('the time that a page takes is counted', async () => {
  const slots = new Float64Array(7)
  const page = timed(() => ({ status: 200, body: '' }), slots)
  await page()
  await page()
  assert.is(
    slots.subarray(0, 6).reduce((sum, slot) => sum + slot, 0),
    2,
  )
  assert.ok((slots[6] ?? 0) > 0 && (slots[6] ?? 0) < 1)
})

test('a long page leaves the event loop to others while it is sent, and arrives whole', async () => {
  const body = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('')
  const long = new Map<string, PageSource>([['/long', () => ({ status: 200, body })]])
  await withServer(async ({ port }) => {
    let turns = 0
    const count = () => {
      turns++
      again = setImmediate(count)
    }
    let again = setImmediate(count)
    const text = await get(port, '/long')
    clearImmediate(again)
    assert.is(text.slice(text.indexOf('\r\n\r\n') + 4), body)
    assert.match(text, `content-length: ${body.length}\r\n`)
    assert.ok(turns >= body.length / 4096, `${turns} turns`)
  }, long)
})

type Call = Omit<AdminCall, 'path'>

/** @param isIn whom the server admits */
async function withCalls(
  calls: Readonly<Record<string, Call>>,
  body: (ask: typeof get, port: number) => Promise<void>,
  access: Access = ({ headers }) =>
    headers.authorization === undefined
      ? { ok: false, why: 'not you' }
      : { ok: true, isRoot: false },
): Promise<void> {
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages,
    questions: [{ prefix: '/explain/', answer: () => ({ status: 200, body: 'because\n' }) }],
    calls: Object.entries(calls).map(([path, call]) => ({ path, ...call })),
    access,
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  try {
    await body(get, port)
  } finally {
    await server.stop()
  }
}

const known = (port: number, path: string, method = 'GET', body = '') =>
  raw(
    port,
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: me\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )

test('pages that tell names, and calls, are for those who are admitted; all others are open', () =>
  withCalls(
    {
      '/v1/secret': { method: 'GET', answer: () => jsonPage({ name: 'a.example.' }) },
      '/v1/sums': { method: 'GET', isOpen: true, answer: () => jsonPage({ queries: 1 }) },
    },
    async (ask, port) => {
      assert.match(await ask(port, '/explain/a'), /^HTTP\/1\.1 403 [\s\S]*not you\n$/)
      assert.match(await ask(port, '/v1/secret'), /^HTTP\/1\.1 403 [\s\S]*not you\n$/)
      assert.match(await ask(port, '/v1/sums'), / 200 [\s\S]*{"queries":1}\n$/)
      assert.match(await ask(port, '/metrics'), / 200 /)
      assert.match(await known(port, '/explain/a'), / 200 [\s\S]*because\n$/)
      assert.match(await known(port, '/v1/secret'), / 200 [\s\S]*{"name":"a\.example\."}\n$/)
    },
  ))

test('where nobody is named who is admitted, nobody is', async () => {
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages,
    questions: [{ prefix: '/explain/', answer: () => ({ status: 200, body: 'because\n' }) }],
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  assert.match(await known(port, '/explain/a'), /^HTTP\/1\.1 403 /)
  await server.stop()
})

test('a call gets its parameters and its body, has its own method, and a failure of it is no detail', () =>
  withCalls(
    {
      '/v1/put': {
        method: 'POST',
        bodyBytesMax: 10,
        answer: ({ params, body }) => jsonPage([params.get('n'), body.toString()]),
      },
      '/v1/broken': { method: 'GET', answer: () => Promise.reject(new Error('secret detail')) },
    },
    async (_ask, port) => {
      assert.match(
        await known(port, '/v1/put?n=a%20b', 'POST', '0123456789'),
        /\["a b","0123456789"\]/,
      )
      assert.match(await known(port, '/v1/put', 'POST', '01234567890'), /^HTTP\/1\.1 413 /)
      assert.match(await known(port, '/v1/put'), /^HTTP\/1\.1 404 /)
      assert.match(await known(port, '/v1/put', 'DELETE'), /^HTTP\/1\.1 405 /)
      const broken = await known(port, '/v1/broken')
      assert.match(broken, /^HTTP\/1\.1 500 /)
      assert.not(broken.includes('secret'))
    },
  ))

test('what is for root alone is refused before its body is read', () =>
  withCalls(
    {
      '/v1/load': { method: 'POST', isForRoot: true, bodyBytesMax: 10, answer: () => jsonPage(1) },
    },
    async (_ask, port) => {
      assert.match(await known(port, '/v1/load', 'POST', '01234567890'), /^HTTP\/1\.1 403 /)
    },
  ))

test('a page in pieces arrives whole, and is cut off when a piece cannot be made', () => {
  async function* pieces(isGood: boolean) {
    yield Buffer.alloc(1_000_000, 'x')
    if (!isGood) throw new Error('no more')
    yield Buffer.from('end')
  }
  const call = (isGood: boolean): Call => ({
    method: 'GET',
    answer: () => ({ status: 200, body: '', pieces: pieces(isGood) }),
  })
  return withCalls({ '/v1/good': call(true), '/v1/bad': call(false) }, async (_ask, port) => {
    const good = await known(port, '/v1/good')
    assert.ok(good.length > 1_000_003 && /end\r\n0\r\n\r\n$/.test(good))
    assert.not.match(await known(port, '/v1/bad'), /\r\n0\r\n\r\n$/)
  })
})

test.run()
