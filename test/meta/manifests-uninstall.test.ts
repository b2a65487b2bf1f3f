// Goal: the step before `helm uninstall` changes what it must, waits for every node, and stops the uninstall when one does not follow.
// Method: the script as the chart ships it, run by Node as in its Job, against a small imitation of the two objects' API.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { overlapping } from '../support/lab/overlap.ts'
import { configTextOf, documentsIn, manifestsRoot } from '../support/manifests.ts'
import { runToEnd } from '../support/process.ts'

const base = suite('manifests/uninstall')
const test = overlapping(base)

interface Strategy {
  readonly rollingUpdate: Readonly<Record<string, number | string>>
}

interface World {
  text: string | undefined
  strategy: Strategy
  /** Nodes that follow, of three. */
  readonly following: number
  readonly status?: number
  readonly patched: string[]
  readonly tokens: Set<string>
  rolled: boolean
  looks: number
}

function world(changes: Partial<World> = {}): World {
  return {
    text: configTextOf(documentsIn('base/configmap.yaml')),
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    following: 3,
    patched: [],
    tokens: new Set(),
    rolled: false,
    looks: 0,
    ...changes,
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, never>> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return JSON.parse(Buffer.concat(pieces).toString() || '{}') as Record<string, never>
}

async function answer(
  it: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  it.tokens.add(request.headers.authorization ?? '')
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const isPatch = request.method === 'PATCH'
  const body = isPatch ? await bodyOf(request) : undefined
  if (isPatch) it.patched.push(request.url ?? '')
  if (it.status !== undefined) return send(it.status, { message: 'not allowed' })
  if (request.url === '/api/v1/namespaces/kube-system/configmaps/neardns') {
    const data = (body as { data?: Record<string, string> } | undefined)?.data
    if (data) it.text = data['neardns.yaml']
    return send(200, { data: { 'neardns.yaml': it.text } })
  }
  if (request.url !== '/apis/apps/v1/namespaces/kube-system/daemonsets/neardns')
    return send(404, {})
  const spec = (body as { spec?: { updateStrategy: Strategy } } | undefined)?.spec
  if (spec) {
    it.strategy = spec.updateStrategy
    it.rolled = true
  }
  if (it.rolled) it.looks += 1
  // The controller sees the change a look later, and the nodes follow one by one.
  const made = it.rolled ? Math.min(it.following, Math.max(0, it.looks - 2)) : 3
  send(200, {
    metadata: { generation: it.rolled ? 2 : 1 },
    spec: { updateStrategy: it.strategy },
    status: {
      observedGeneration: it.looks > 1 ? 2 : 1,
      desiredNumberScheduled: 3,
      updatedNumberScheduled: made,
      numberAvailable: 3,
    },
  })
}

function onStopOf(it: World): string {
  const result = loadConfig({ file: { name: 'neardns.yaml', text: it.text ?? '' } })
  return result.ok ? result.config.interception.onStop : JSON.stringify(result.problems)
}

async function uninstall(it: World, seconds = 20) {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-uninstall-'))
  writeFileSync(join(directory, 'token'), 'abc\n')
  const server = createServer((request, response) => void answer(it, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const script = join(manifestsRoot, 'chart/files/uninstall.mjs')
    return await runToEnd(process.execPath, [script], {
      env: {
        NAMESPACE: 'kube-system',
        NAME: 'neardns',
        TIMEOUT_SECONDS: String(seconds),
        API_SERVER: `http://127.0.0.1:${port}`,
        CREDENTIALS: directory,
        SETTLE_MS: '10',
        POLL_MS: '20',
      },
    })
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  }
}

test('the configuration gets one line, then all daemons start anew at once, on full nodes too', async () => {
  const it = world()
  const before = it.text ?? ''
  const { code, output } = await uninstall(it)
  assert.is(code, 0, output)
  assert.is(it.text, before.replace('interception:\n', 'interception:\n  onStop: remove\n'))
  assert.is(onStopOf(it), 'remove')
  assert.equal(
    it.patched.map((path) => path.split('/').at(-2)),
    ['configmaps', 'daemonsets'],
  )
  assert.equal(it.strategy.rollingUpdate, { maxSurge: 0, maxUnavailable: '100%' })
  // The last look saw all three.
  assert.ok(it.looks >= 5, String(it.looks))
  assert.match(output, 'every daemon will take its rules and addresses with it')
  assert.equal([...it.tokens], ['Bearer abc'])
})

test('a node that does not follow stops the uninstall, and is counted', async () => {
  const it = world({ following: 2 })
  const { code, output } = await uninstall(it, 4)
  assert.is(code, 1, output)
  assert.match(output, '2 of 3 daemons started anew')
  assert.match(output, 'helm uninstall --no-hooks')
})

test('configurations that people wrote are changed all the same', async () => {
  const written = [
    'interception: # ours\n    # a comment\n\n    addresses: [169.254.20.10]\nlisten: ["169.254.20.10:53"]\n',
    'listen: ["169.254.20.10:53"]\ninterception:\n  addresses: [169.254.20.10]\n  onStop: keep\n',
  ]
  for (const text of written) {
    const it = world({ text })
    const { code, output } = await uninstall(it)
    assert.is(code, 0, output)
    assert.is(onStopOf(it), 'remove', it.text)
  }
})

test('daemons that leave nothing anyway are left alone', async () => {
  const mild = [
    'interception:\n  onStop: remove\n  addresses: []\n',
    'interception:\n  mode: none\n',
  ]
  for (const text of mild) {
    const it = world({ text })
    const { code } = await uninstall(it)
    assert.is(code, 0)
    assert.equal(it.patched, [])
  }
})

test('a configuration that the script cannot read is not guessed at', async () => {
  for (const text of ['listen: [127.0.0.1:53]\n', 'interception: {addresses: [169.254.20.10]}\n']) {
    const it = world({ text })
    const { code, output } = await uninstall(it)
    assert.is(code, 1)
    assert.match(output, 'has no section `interception`')
    assert.equal(it.patched, [])
  }
})

test('an API server that refuses is reported with what it said', async () => {
  const { code, output } = await uninstall(world({ status: 403 }))
  assert.is(code, 1)
  assert.match(output, /403 .*not allowed/)
})

base.run()
