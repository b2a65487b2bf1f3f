/*
 * Goal: `neardns doctor` finds a healthy daemon healthy, and sees what happens to it: an upstream that ends, the daemon itself. Method: the
 * daemon as a process, servers that the test plays for its upstreams, and the verb in this process.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../../src/cli/diagnosis/finding.ts'
import { doctor } from '../../../src/cli/doctor/doctor.ts'
import { captured } from '../../support/cli-io.ts'
import { freePort } from '../../support/free-port.ts'
import { Neardns } from '../../support/neardns.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'

const test = suite('cli/doctor/doctor')

async function look(argv: readonly string[]) {
  const io = captured()
  const code = await doctor([...argv, '--json'], io)
  const { findings } = JSON.parse(io.out()) as { findings: readonly Finding[] }
  // A machine with much else to do delays the daemon, and that is no fault that this test is about; the upstreams here live in its process.
  // Nor are processes in namespaces of other programs, which ask other servers.
  const faults = findings.filter(
    ({ state, about, what }) =>
      state === 'fault' &&
      !['event loop', 'pods'].includes(about) &&
      !/ takes \d+ ms over /.test(what),
  )
  return { code, findings, faults }
}

test('healthy, then without CoreDNS, then gone', async () => {
  const coredns = await FakeUpstream.start((query) => query.answer())
  const outside = await FakeUpstream.start((query) => query.answer())
  const [port, adminPort] = [await freePort(), await freePort()]
  const folder = mkdtempSync(join(tmpdir(), 'neardns-doctor-'))
  const file = join(folder, 'neardns.yaml')
  writeFileSync(
    file,
    `listen: ["127.0.0.1:${port}"]
admin: { listen: "127.0.0.1:${adminPort}", socket: none }
cluster: { upstreams: ["127.0.0.1:${coredns.port}"] }
external: { upstreams: ["127.0.0.1:${outside.port}"] }
`,
  )
  const at = ['--config', file, '--admin', `127.0.0.1:${adminPort}`]
  const daemon = await Neardns.start({ args: ['--config', file] })
  try {
    const healthy = await look(at)
    assert.equal(healthy.faults, [])
    for (const about of ['answers', 'ready', 'upstream', 'memory']) {
      assert.ok(
        healthy.findings.some((one) => one.about === about && one.state === 'ok'),
        about,
      )
    }
    await coredns.stop()
    const without = await look(at)
    assert.is(without.code, 1)
    assert.ok(
      without.faults.some(({ what }) =>
        what.startsWith(`127.0.0.1:${coredns.port} (cluster): nothing over TCP`),
      ),
      JSON.stringify(without.faults),
    )
  } finally {
    await daemon.stop()
  }
  const gone = await look(at)
  await outside.stop()
  assert.is(gone.faults[0]?.what, `nothing at 127.0.0.1:${port} over UDP and TCP`)
  writeFileSync(file, 'listen: nowhere\n')
  const wrong = await look(at)
  rmSync(folder, { recursive: true })
  assert.equal(
    wrong.faults.map(({ about }) => about),
    ['configuration'],
  )
})

test('another program at the admin address is not taken for a healthy daemon', async () => {
  const other = createServer((_request, response) => response.end('hello\n'))
  const port = await new Promise<number>((resolve) =>
    other.listen(0, '127.0.0.1', () => resolve((other.address() as AddressInfo).port)),
  )
  const listen = `127.0.0.1:${await freePort()}`
  const { code, findings } = await look(['--listen', listen, '--admin', `127.0.0.1:${port}`])
  other.close()
  other.closeAllConnections()
  assert.is(code, 1)
  assert.match(JSON.stringify(findings), 'what answers there has no metrics of neardns')
  assert.not.ok(findings.some(({ about }) => about === 'ready' || about === 'memory'))
})

test.run()
