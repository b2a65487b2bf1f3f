/** Goal: what became of dnstap's messages is published. Method: one reading. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dnstapFamilies } from '../../../src/observe/families/dnstap.ts'

const test = suite('observe/families/dnstap')

test('sent and dropped have a label each, and a reader that is there is 1', () => {
  const [connections, messages] = dnstapFamilies(() => ({ sent: 5, dropped: 2, isConnected: true }))
  assert.equal(connections?.collect(), [{ labels: {}, value: 1 }])
  assert.equal(messages?.collect(), [
    { labels: { outcome: 'sent' }, value: 5 },
    { labels: { outcome: 'dropped' }, value: 2 },
  ])
})

test.run()
