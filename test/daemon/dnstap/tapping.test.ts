/** Goal: the tap follows its setting, beside other samplers. Method: settings one after another, nobody at the socket. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../../src/config/load.ts'
import { dnstapReaderAt } from '../../../src/config/log-settings.ts'
import { Tapping } from '../../../src/daemon/dnstap/tapping.ts'

const test = suite('daemon/dnstap/tapping')

function loadedOf(dnstap: object) {
  return loadConfig({ file: { name: 'a.yaml', text: JSON.stringify({ log: { dnstap } }) } })
}

function configOf(dnstap: object) {
  const loaded = loadedOf(dnstap)
  if (!loaded.ok) throw new Error('a mistake in the test')
  return loaded.config
}

test('off is what is there already; on is beside it; the same settings keep the tap', () => {
  const tapping = new Tapping(() => Buffer.alloc(0))
  const other = { record: () => undefined }
  assert.is(tapping.beside(undefined, configOf({})), undefined)
  assert.is(tapping.beside(other, configOf({})), other)
  const on = configOf({ socket: '/nowhere/tap.sock' })
  const first = tapping.beside(undefined, on)
  assert.ok(first !== undefined)
  assert.is(tapping.beside(undefined, on), first)
  const both = tapping.beside(other, on)
  assert.ok(both !== first && both !== other)
  assert.is(tapping.beside(undefined, configOf({})), undefined)
  assert.equal(tapping.stats, { sent: 0, dropped: 0, isConnected: false })
  tapping.stop()
})

test('a reader is a path, or an address with a port over TCP', () => {
  const readerOf = (socket: string) => dnstapReaderAt(configOf({ socket }).log.dnstap.socket ?? '')
  assert.equal(readerOf('/run/tap.sock'), { path: '/run/tap.sock' })
  assert.equal(readerOf('tcp://[2001:db8::1]:6000'), { host: '2001:db8::1', port: 6000 })
  for (const socket of ['', 'tcp://192.0.2.1', 'tcp://tap.example:6000', 'tls://192.0.2.1:6000'])
    assert.not(loadedOf({ socket }).ok, socket)
  assert.not(loadedOf({ identity: 'x'.repeat(256) }).ok)
})

test.run()
