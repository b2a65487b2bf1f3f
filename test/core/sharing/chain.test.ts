/** Goal: both ends and every neighbour are right after any move. Method: a chain beside an array that is moved in the same way, read from both ends. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Chain, Link } from '../../../src/core/sharing/chain.ts'

const test = suite('core/sharing/chain')

function forwards(chain: Chain<Link<number>>): number[] {
  const values: number[] = []
  for (let link = chain.first; link !== undefined; link = link.next) values.push(link.value)
  return values
}

function backwards(chain: Chain<Link<number>>): number[] {
  const values: number[] = []
  for (let link = chain.last; link !== undefined; link = link.previous) values.push(link.value)
  return values
}

test('an empty chain has no ends', () => {
  const chain = new Chain<Link<number>>()
  assert.equal([chain.first, chain.last], [undefined, undefined])
})

test('the only link is both ends, wherever it is moved, and leaves an empty chain', () => {
  const chain = new Chain<Link<number>>()
  const link = new Link(1)
  chain.addFirst(link)
  chain.moveLast(link)
  chain.moveFirst(link)
  assert.equal([chain.first, chain.last], [link, link])
  chain.remove(link)
  assert.equal([chain.first, chain.last], [undefined, undefined])
})

function place(
  chain: Chain<Link<number>>,
  link: Link<number>,
  isIn: boolean,
  toFirst: boolean,
): void {
  if (isIn) return toFirst ? chain.moveFirst(link) : chain.moveLast(link)
  return toFirst ? chain.addFirst(link) : chain.addLast(link)
}

test('two thousand moves leave the same order as in an array, from both ends', () => {
  const chain = new Chain<Link<number>>()
  const links = Array.from({ length: 9 }, (_, i) => new Link(i))
  let order: number[] = []
  for (let step = 0; step < 2000; step++) {
    const at = (step * 7 + (step >> 3) * 5) % links.length
    const link = links[at] as Link<number>
    const isIn = order.includes(at)
    const toFirst = (step * 13) % 3 === 0
    const others = order.filter((value) => value !== at)
    if (isIn && step % 5 === 0) {
      chain.remove(link)
      order = others
    } else {
      place(chain, link, isIn, toFirst)
      order = toFirst ? [at, ...others] : [...others, at]
    }
    assert.equal(forwards(chain), order)
    assert.equal(backwards(chain), order.toReversed())
  }
})

test('a link that has been taken out leads to nobody', () => {
  const chain = new Chain<Link<string>>()
  const links = ['a', 'b', 'c'].map((value) => new Link(value))
  for (const link of links) chain.addLast(link)
  for (const link of links) {
    chain.remove(link)
    assert.equal([link.previous, link.next], [undefined, undefined])
  }
})

test.run()
