/** Goal: the API is asked as a pod asks it, and what it refuses or breaks off is an error with its words. Method: a server that the test plays. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiClient, ApiRefusal, apiPlace } from '../../../src/daemon/pods/api-client.ts'

const test = suite('daemon/pods/api-client')

async function withServer(
  answer: RequestListener,
  body: (client: ApiClient) => Promise<void>,
): Promise<void> {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const folder = mkdtempSync(join(tmpdir(), 'neardns-api-'))
  writeFileSync(join(folder, 'token'), 'a-token\n')
  writeFileSync(join(folder, 'ca.crt'), '')
  const { port } = server.address() as AddressInfo
  try {
    await body(new ApiClient({ url: new URL(`http://127.0.0.1:${port}`), accountFolder: folder }))
  } finally {
    rmSync(folder, { recursive: true })
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}

const { signal } = new AbortController()

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (why: unknown) => why,
  )
  assert.instance(error, Error)
  return error as Error
}

test('its place is in the environment of every pod', () => {
  const variables = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  assert.is(apiPlace(variables)?.url.href, 'https://10.96.0.1/')
  const six = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  assert.is(apiPlace(six)?.url.href, 'https://[fd00::1]:6443/')
  assert.is(apiPlace({}), undefined)
})

test('the token of the service account is sent; a refusal has its status and its words', async () => {
  await withServer(
    (request, response) => {
      if (request.headers.authorization !== 'Bearer a-token') return response.writeHead(401).end()
      if (request.url === '/good') return response.end('{"kind":"PodList"}')
      const message = 'pods is forbidden: User "a" cannot list resource'
      return response.writeHead(403).end(JSON.stringify({ kind: 'Status', message }))
    },
    async (client) => {
      assert.equal(await client.get('/good', signal), { kind: 'PodList' })
      const error = await failure(client.get('/bad', signal))
      assert.instance(error, ApiRefusal)
      assert.match(
        error.message,
        'HTTP status 403 pods is forbidden: User "a" cannot list resource',
      )
    },
  )
})

test('a watch has its lines whole, however they come; silence, junk and a cut end it', async () => {
  await withServer(
    (request, response) => {
      response.write('{"type":"ADDED","n":1}\n{"type":"MOD')
      setTimeout(() => response.write('IFIED","n":2}\n'), 20)
      if (request.url === '/end') setTimeout(() => response.end(), 60)
      if (request.url === '/cut') setTimeout(() => response.destroy(), 60)
      if (request.url === '/junk') setTimeout(() => response.end('<html>\n'), 60)
    },
    async (client) => {
      const events: unknown[] = []
      let opened = 0
      const watch = (path: string, idleMs = 30_000) =>
        client.watch(path, { signal, idleMs, onOpen: () => (opened += 1) }, (event) =>
          events.push(event),
        )
      await watch('/end')
      assert.is(opened, 1)
      assert.equal(events, [
        { type: 'ADDED', n: 1 },
        { type: 'MODIFIED', n: 2 },
      ])
      await failure(watch('/cut'))
      await failure(watch('/junk'))
      assert.match((await failure(watch('/silent', 500))).message, 'nothing came for 500 ms')
    },
  )
})

test.run()
