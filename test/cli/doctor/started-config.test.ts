// Goal: a daemon in the place of node-cache is looked at as it was started, and no file is written. Method: flags and files as its pod has them.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream } from '../../../src/address/upstream-url.ts'
import { ofNodeCache } from '../../../src/cli/doctor/started-config.ts'

const test = suite<{ folder: string }>('cli/doctor/started-config')

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-doctor-'))
})
test.after.each(({ folder }) => rmSync(folder, { recursive: true }))

const argvFor = (folder: string) => [
  ...['-localip', '127.9.9.9', '-setupinterface=false', '-setupiptables=false'],
  ...['-conf', join(folder, 'Corefile'), '-basecorefile', join(folder, 'Corefile.base')],
]

test('its template is rendered, and not written', async ({ folder }) => {
  const template = '.:53 {\n  bind 127.9.9.9\n  forward . 192.0.2.53\n}\n'
  writeFileSync(join(folder, 'Corefile.base'), template)
  const { result, file } = await ofNodeCache({ pid: process.pid, argv: argvFor(folder) })
  assert.ok(result.ok, JSON.stringify(result))
  assert.equal(result.ok && result.config.external.upstreams.map(formatUpstream), [
    'udp://192.0.2.53:53',
  ])
  assert.equal([file, existsSync(file)], [join(folder, 'Corefile'), false])
})

test('a Corefile that is wrong, and arguments that are none, are said', async ({ folder }) => {
  writeFileSync(join(folder, 'Corefile'), '.:53 {\n  nonsense\n}\n')
  const { result } = await ofNodeCache({ pid: process.pid, argv: argvFor(folder) })
  assert.match(result.ok ? '' : (result.problems[0]?.where ?? ''), /Corefile:2:3$/)
  const none = await ofNodeCache({ pid: 1, argv: ['-localip', 'x'] })
  assert.match(
    none.result.ok ? '' : (none.result.problems[0]?.message ?? ''),
    /name a file with --config/,
  )
})

test.run()
