/** Goal: what is done before a start is left undone where the arguments do not ask for rules. Method: the function itself. The rest is test/host/nodelocal/early-standby and test/real/node-cache/takeover. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leadPodsToCoredns } from '../../../src/cli/node-cache/early.ts'

const test = suite('cli/node-cache/early')

test('without rules of ours, with wrong arguments and for help the node is left alone', async () => {
  const address = ['-localip', '127.9.9.9']
  for (const argv of [[...address, '-setupiptables=false'], ['-localip'], ['-help']]) {
    assert.equal(await leadPodsToCoredns(argv, {}), [])
  }
})

test.run()
