// Goal: a change by somebody else is seen, our own are not taken for one. Method: a counter in place of the kernel's.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GenerationWatch } from '../../../src/host/nft/generation-watch.ts'

const test = suite('host/nft/generation-watch')

function counted(changes = 0, id: number | undefined = 10) {
  const nftables = { changes, id, generation: async () => nftables.id }
  return nftables
}

test('the first look counts as a change, and nothing after it as none', async () => {
  const watch = new GenerationWatch(counted())
  assert.equal([await watch.hasMoved(), await watch.hasMoved()], [true, false])
})

test('our own changes are not those of somebody else', async () => {
  const nftables = counted()
  const watch = new GenerationWatch(nftables)
  await watch.hasMoved()
  nftables.changes += 2
  nftables.id = 12
  assert.is(await watch.hasMoved(), false)
  nftables.changes += 1
  nftables.id = 14
  assert.is(await watch.hasMoved(), true, 'one of two was not ours')
  assert.is(await watch.hasMoved(), false)
})

test('where the kernel tells no number everything may have changed', async () => {
  const watch = new GenerationWatch({ changes: 0, generation: async () => undefined })
  assert.equal([await watch.hasMoved(), await watch.hasMoved()], [true, true])
})

test.run()
