// Goal: a name is asked as a pod would ask it, over TCP when the reply is cut off. Method: servers that the test plays.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askStep } from '../../../src/cli/explain/ask-step.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'

const test = suite('cli/explain/ask-step')

test('a reply has its code, records and time', async () => {
  const server = await FakeUpstream.start((query) =>
    query.answer({ tc: query.transport === 'udp' }),
  )
  const at = { address: '127.0.0.1', port: server.port, family: 4 } as const
  const asked = await askStep('www.example.com.', 'A', at)
  await server.stop()
  assert.is(asked.rcode, 'NOERROR')
  assert.is(asked.records.length, 1)
  assert.ok(asked.tookMs > 0)
  const gone = await askStep('www.example.com.', 'A', at)
  assert.is(gone.rcode, undefined)
  assert.match(gone.why ?? '', 'nobody listens')
})

test.run()
