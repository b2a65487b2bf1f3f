// Goal: `neardns check` looks at this machine, changes nothing, and says what is in the way. Method: the verb, with a port that this test has.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { check } from '../../../src/cli/diagnosis/check.ts'
import type { Finding } from '../../../src/cli/diagnosis/finding.ts'
import { captured } from '../../support/cli-io.ts'

const test = suite('cli/diagnosis/check')

test('a port that another process has is a fault with its holder; as JSON too', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const place = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`
  const io = captured()
  const code = await check(['--listen', place, '--upstream', '192.0.2.1', '--json'], io)
  server.close()
  assert.is(code, 1)
  const { findings } = JSON.parse(io.out()) as { findings: readonly Finding[] }
  const taken = findings.find(({ state }) => state === 'fault')
  assert.is(taken?.what, `${place} (listen) is taken`)
  assert.match(taken?.cause ?? '', `(process ${process.pid})`)
})

test('for a person it is a line each, and the sum', async () => {
  const io = captured()
  await check(['--listen', '127.0.0.1:0', '--upstream', '192.0.2.1'], io)
  assert.match(io.out(), /^✓ rules {9}none: no addresses are configured\n/)
  assert.match(io.out(), /\n\d+ fine.*\n$/)
})

test('a configuration that is wrong is told as validate tells it', async () => {
  const io = captured()
  assert.is(await check(['--listen', 'nowhere'], io), 2)
  assert.match(io.err(), '--listen nowhere')
})

test.run()
