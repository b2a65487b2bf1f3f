// Goal: `npm run demo` on a machine with nothing shows the daemon at work, keeps serving, and ends cleanly.
// Method: the real command as a child; its account read from what it printed, its port asked by the tests' own client.
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookup } from '../support/client/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { Child } from '../support/process.ts'

const test = suite('e2e/demo')
const main = join(import.meta.dirname, '../../src/main.ts')

async function startDemo(): Promise<{ child: Child; port: number }> {
  const port = await freePort()
  return { child: new Child(process.execPath, [main, 'demo', '--port', String(port)]), port }
}

/** The rows below a scene's title, as words. */
function scene(lines: readonly string[], title: string): string[][] {
  const at = lines.findIndex((line) => line.startsWith(title))
  const from = lines.findIndex((line, n) => n > at && /^ {2}asked /.test(line)) + 1
  const end = lines.findIndex((line, n) => n > from && line === '')
  return lines.slice(from, end).map((line) => line.trim().split(/ {2,}/))
}

test('the account shows the cache, the stale answers and the return of CoreDNS', async () => {
  const { child, port } = await startDemo()
  try {
    await child.line((line) => line.startsWith('Still serving'), 15_000)
    const { lines } = child
    assert.not.match(lines.join('\n'), '\x1b', 'colours in a pipe')

    for (const line of lines) assert.ok(line.length <= 80, line)
    const cold = scene(lines, "A Service of the pod's own namespace")
    assert.equal(
      cold.map((row) => row[3]),
      ['CoreDNS', 'CoreDNS'],
    )
    const warm = scene(lines, 'The same again')
    assert.equal(
      warm.map((row) => row[3]),
      ['cache', 'cache'],
    )
    assert.equal(
      warm.map((row) => row[5]),
      ['0', '0'],
    )

    const walk = scene(lines, 'A name outside the cluster')
    assert.is(walk.length, 8)
    assert.equal(
      walk.slice(-2).map((row) => row[3]),
      ['outside', 'outside'],
    )

    const [together] = scene(lines, 'Twenty pods')
    assert.ok(Number(together?.[5]) <= 2, together?.join(' '))
    assert.equal(
      scene(lines, 'CoreDNS is down, and that').map((row) => row[3]),
      ['stale cache', 'stale cache'],
    )
    assert.equal(
      scene(lines, 'CoreDNS is down, and the').map((row) => row[2]),
      ['SERVFAIL', 'SERVFAIL'],
    )
    assert.is(scene(lines, 'CoreDNS is back')[0]?.[2], '10.244.1.5 10.244.2.9')
    assert.ok(lines.some((line) => /over TCP, 0 over UDP/.test(line)))

    const at = { host: '127.0.0.1', port }
    for (const tcp of [false, true]) {
      const srv = await lookup(at, '_http._tcp.payments.shop.svc.cluster.local', 'SRV', { tcp })
      assert.is(srv.answers.length, 1)
      assert.is((await lookup(at, 'example.com', 'MX', { tcp })).answers.length, 1)
    }
  } finally {
    assert.equal(await child.stop('SIGINT'), { code: 0, signal: null })
  }
})

test('a reader that goes away ends it without a complaint', async () => {
  const { child } = await startDemo()
  await child.line((line) => line.startsWith('neardns demo'), 15_000)
  child.process.stdout?.destroy()
  assert.equal(await child.exited, { code: 0, signal: null })
  assert.not.match(child.lines.join('\n'), 'EPIPE')
})

test('an interrupt in the middle of the account ends it cleanly, too', async () => {
  const { child } = await startDemo()
  await child.line((line) => line.startsWith('  asked'), 10_000)
  assert.equal(await child.stop('SIGTERM'), { code: 0, signal: null })
  assert.not.ok(child.lines.some((line) => line.startsWith('In all')))
})

test.run()
