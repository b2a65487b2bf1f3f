/*
 * Goal: `neardns doctor` finds a healthy daemon healthy, and sees what happens to it: an upstream that ends, the daemon itself. Method: the
 * daemon as a process, servers that the test plays for its upstreams, and the verb in this process.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  const faults = findings.filter(
    ({ state, about, what }) =>
      state === 'fault' && about !== 'event loop' && !/ takes \d+ ms over /.test(what),
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

test.run()
