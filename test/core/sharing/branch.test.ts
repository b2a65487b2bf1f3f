/*
 * Goal: each holder has one branch below each parent, as long as something is in it. Method: branches of holders with the same keys
 * below different parents, and more of them than a table has buckets.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Branch, BranchTable } from '../../../src/core/sharing/branch.ts'
import { Link } from '../../../src/core/sharing/chain.ts'
import type { Holder } from '../../../src/core/sharing/shares.ts'

const test = suite('core/sharing/branch')

const holder = (key: number): Holder => ({ by: 'domain', key, weight: 1 })

function rooted() {
  const table = new BranchTable<string>()
  return { table, root: new Branch<string>(table) }
}

test('a holder has one branch', () => {
  const { root } = rooted()
  const branch = root.branchFor(holder(7))
  assert.is(root.branchFor(holder(7)), branch)
  assert.equal([root.size, branch.parent === root, branch.isEmpty], [1, true, true])
})

test('the same holder below another one has another branch', () => {
  const { root } = rooted()
  const [one, other] = [root.branchFor(holder(1)), root.branchFor(holder(2))]
  assert.is(one.branchFor(holder(7)) === other.branchFor(holder(7)), false)
  assert.equal([root.size, one.size, other.size], [2, 1, 1])
})

test('a branch that has become empty is gone, and leads nowhere', () => {
  const { root, table } = rooted()
  const [first, second, third] = [1, 2, 3].map((key) => root.branchFor(holder(key)))
  if (first === undefined || second === undefined || third === undefined) throw new Error('none')
  second.things.addLast(new Link('thing'))
  root.update(second, true)
  assert.is(root.size, 3, 'something is in it')
  root.update(first, false)
  assert.is(table.find(root, 1), undefined)
  assert.equal([table.find(root, 2), table.find(root, 3)], [second, third])
  assert.equal(
    [first.turn.next, first.arrival.next, first.nextInBucket],
    [undefined, undefined, undefined],
  )
})

test('however many there are, each is found, and each can go', () => {
  const { root, table } = rooted()
  const keys = Array.from({ length: 500 }, (_, i) => i * 64)
  const branches = keys.map((key) => root.branchFor(holder(key)))
  for (const [i, key] of keys.entries()) assert.is(table.find(root, key), branches[i])
  for (const branch of branches) root.update(branch, false)
  assert.is(root.size, 0)
  for (const key of keys) assert.is(table.find(root, key), undefined)
})

test.run()
