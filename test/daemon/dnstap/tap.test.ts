/**
 * Goal: Debian's own reader of dnstap gets every query and reply as they were, over UDP and TCP, hits and misses; without a reader nothing waits and what is
 * lost is counted. Method: the daemon in this process, fstrm_capture as a process at the socket, its file read by dnstap-ldns.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withHouse } from '../../e2e/support.ts'
import { needing } from '../../support/needs.ts'
import { Child, mustRun, until } from '../../support/process.ts'

const plain = suite('daemon/dnstap/tap')
const test = needing(suite('daemon/dnstap/tap with its readers'), 'fstrm_capture', 'dnstap-ldns')

test('fstrm_capture and dnstap-ldns read what was asked and answered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-dnstap-'))
  const [socket, file] = [join(folder, 'tap.sock'), join(folder, 'tap.fstrm')]
  const reader = new Child('fstrm_capture', [
    ...['-t', 'protobuf:dnstap.Dnstap', '-u', socket, '-w', file, '-dddd'],
  ])
  try {
    await reader.line((line) => line.includes('opening Unix socket path'), 5000)
    await withHouse({ settings: { log: { dnstap: { socket } } } }, async (house) => {
      const connected = () => house.metric('neardns_dnstap_connections')
      await until('the reader is there', async () => (await connected()) === 1)
      await house.lookup('miss.example')
      await house.lookup('miss.example')
      await house.lookup('stream.example', 'A', { tcp: true })
      const sent = () => house.metric('neardns_dnstap_messages_total', { outcome: 'sent' })
      await until('all is sent', async () => (await sent()) === 6)
      assert.is(await house.metric('neardns_dnstap_messages_total', { outcome: 'dropped' }), 0)
    })
    // It writes its file whole when it ends.
    await reader.stop('SIGTERM')
    const quiet = await mustRun('dnstap-ldns', ['-q', '-r', file])
    const lines = quiet.split('\n')
    assert.is(lines.length, 6, quiet)
    const count = (shape: RegExp) => lines.filter((line) => shape.test(line)).length
    assert.is(count(/ CQ 127\.0\.0\.1 UDP \d+b "miss\.example\." IN A/), 2, quiet)
    assert.is(count(/ CR 127\.0\.0\.1 UDP \d+b "miss\.example\." IN A/), 2, quiet)
    assert.is(count(/ C[QR] 127\.0\.0\.1 TCP \d+b "stream\.example\." IN A/), 2, quiet)
    const whole = await mustRun('dnstap-ldns', ['-y', '-r', file])
    assert.is([...whole.matchAll(/miss\.example\.\s+\d+\s+IN\s+A\s+10\.9\.8\.7/g)].length, 2, whole)
    assert.match(whole, /type: CLIENT_RESPONSE/)
    assert.match(whole, /query_address: "127\.0\.0\.1"/)
  } finally {
    await reader.stop('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})

plain(
  'without a reader queries are answered, the queue has a bound, and what is lost is counted',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'neardns-dnstap-'))
    const dnstap = { socket: join(folder, 'nobody.sock'), queueBytesMax: 65_536 }
    try {
      await withHouse({ settings: { log: { dnstap } } }, async (house) => {
        for (let i = 0; i < 400; i++) await house.lookup('hit.example')
        assert.is(await house.metric('neardns_dnstap_connections'), 0)
        const dropped = await house.metric('neardns_dnstap_messages_total', { outcome: 'dropped' })
        assert.ok(dropped > 100 && dropped < 800, `${dropped}`)
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

plain.run()
test.run()
