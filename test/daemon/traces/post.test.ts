/**
 * Goal: one request to a collector ends as a value, whatever the collector does, within its time. Method: collectors that the test plays on
 * loopback, over HTTP and HTTPS, by address and by name.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PostTarget, post } from '../../../src/daemon/traces/post.ts'
import { freePort } from '../../support/free-port.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'
import { type CollectorReply, FakeCollector } from './collector.ts'

const test = suite('daemon/traces/post')

const certificates = join(import.meta.dirname, '../../fixtures/tls')
const [certPath, keyPath] = [join(certificates, 'cert.pem'), join(certificates, 'key.pem')]
const tls = { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8') }

function targetOf(url: string, of: Partial<PostTarget> = {}): PostTarget {
  return {
    ...{ url: new URL(url), timeoutMs: 5000, headersFile: null, caFile: null, version: '1.2.3' },
    servers: () => [],
    ...of,
  }
}

async function withCollector(
  body: (collector: FakeCollector) => Promise<void>,
  with_: { readonly tls?: typeof tls; readonly reply?: CollectorReply } = {},
): Promise<void> {
  const collector = await FakeCollector.start(with_.tls)
  if (with_.reply !== undefined) collector.reply = with_.reply
  try {
    await body(collector)
  } finally {
    await collector.stop()
  }
}

test('JSON is posted, with the headers of the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-post-'))
  const headersFile = join(folder, 'headers')
  writeFileSync(headersFile, 'authorization: Bearer a:b\n\nx-tenant:  seven\r\nno header\n')
  try {
    await withCollector(async (collector) => {
      const result = await post(targetOf(`${collector.url}/v1/traces`, { headersFile }), '{"é":1}')
      assert.equal(result, { kind: 'taken', spansRejected: 0 })
      const [posted] = collector.posted
      assert.equal([posted?.path, posted?.body], ['/v1/traces', '{"é":1}'])
      assert.ok(posted)
      const { headers } = posted
      assert.is(headers['content-type'], 'application/json')
      assert.is(headers['user-agent'], 'OTel-OTLP-Exporter-neardns/1.2.3')
      assert.is(headers.authorization, 'Bearer a:b')
      assert.is(headers['x-tenant'], 'seven')
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('status, Retry-After and redirects come back as what they mean; no redirect is followed', async () => {
  await withCollector(async (collector) => {
    const ask = () => post(targetOf(collector.url), '{}')
    collector.reply = (response) => response.writeHead(429, { 'retry-after': '3' }).end()
    assert.equal(await ask(), { kind: 'later', why: 'HTTP status 429', afterMs: 3000 })
    collector.reply = (response) => response.writeHead(401).end('no')
    assert.equal(await ask(), { kind: 'refused', why: 'HTTP status 401' })
    collector.reply = (response) => response.writeHead(307, { location: '/elsewhere' }).end()
    assert.equal(await ask(), { kind: 'refused', why: 'HTTP status 307' })
    assert.equal(
      collector.posted.map(({ path }) => path),
      ['/', '/', '/'],
    )
  })
})

test('a collector that is dead, silent, cut off or endless ends in words', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  const dead = await post(targetOf(nobody), '{}')
  assert.is(dead.kind, 'later')
  assert.match('why' in dead ? dead.why : '', 'ECONNREFUSED')
  await withCollector(async (collector) => {
    const ask = () => post(targetOf(collector.url, { timeoutMs: 300 }), '{}')
    collector.reply = () => undefined
    assert.equal(await ask(), { kind: 'later', why: 'no reply within 300 ms' })
    collector.reply = (response) => response.writeHead(200).write('{')
    assert.equal(await ask(), { kind: 'later', why: 'no reply within 300 ms' })
    collector.reply = (response) => response.destroy()
    assert.is((await ask()).kind, 'later')
    collector.reply = (response) => {
      response.on('error', () => undefined)
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    }
    assert.is((await ask()).kind, 'taken')
  })
})

test('what does not speak HTTP, and files that are not there', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('SSH-2.0\r\n'),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const place = server.address()
  const port = typeof place === 'object' ? place?.port : 0
  try {
    const url = `http://127.0.0.1:${port}`
    assert.is((await post(targetOf(url), '{}')).kind, 'later')
    const missing = await post(targetOf(url, { headersFile: '/nowhere/headers' }), '{}')
    assert.match('why' in missing ? missing.why : '', '/nowhere/headers')
  } finally {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
})

test('a name is asked of the servers given; a certificate has to be for it, by an authority of the file', async () => {
  const upstream = await FakeUpstream.start((query) => query.answer({ address: '127.0.0.1' }))
  const servers = () => [`127.0.0.1:${upstream.port}`]
  try {
    await withCollector(
      async (collector) => {
        const url = `https://dns.test:${collector.port}/v1/traces`
        const given = { servers, caFile: certPath }
        assert.is((await post(targetOf(url, given), '{}')).kind, 'taken')
        const untrusted = await post(targetOf(url, { servers }), '{}')
        assert.match('why' in untrusted ? untrusted.why : '', /self.signed/)
        const other = `https://other.test:${collector.port}`
        assert.is((await post(targetOf(other, given), '{}')).kind, 'later')
        assert.is(collector.posted.length, 1)
      },
      { tls },
    )
    upstream.behave = (query) => query.answer({ address: null })
    const none = await post(targetOf('http://nobody.test', { servers }), '{}')
    assert.equal(none, { kind: 'later', why: 'no address of nobody.test' })
  } finally {
    await upstream.stop()
  }
})

test.run()
