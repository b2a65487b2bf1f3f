/** Goal: places are given in turn, whatever the length of a holder's line, and nothing is lost or given twice. Method: lines served step by step. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FairLine } from '../../../src/core/sharing/fair-line.ts'
import { type Claim, type Holder, Shares } from '../../../src/core/sharing/shares.ts'

import { keyFor } from './key-for.ts'

const test = suite('core/sharing/fair-line')

interface Thing {
  readonly name: string
  readonly claim: Claim
}

/** @param path client, then domains, as in `a/x/y` */
function thing(name: string, path: string): Thing {
  const claim = path.split('/').map((key, level): Holder => {
    const by = level === 0 ? 'client' : 'domain'
    return { by, key: keyFor(`${level} ${key}`), weight: level === 0 ? 1 : 1 / 2 ** level }
  })
  return { name, claim }
}

function lineOf(...things: readonly (readonly [name: string, path: string])[]): FairLine<Thing> {
  const line = new FairLine<Thing>()
  for (const [name, path] of things) line.add(thing(name, path))
  return line
}

/** Takes out what there are places for, each given back at once. */
function served(line: FairLine<Thing>, shares = new Shares(100)): string[] {
  const names: string[] = []
  for (let next = line.next(shares); next; next = line.next(shares)) names.push(next.name)
  return names
}

test('one holder is served in order of arrival', () => {
  assert.equal(served(lineOf(['1', 'a/x'], ['2', 'a/x'], ['3', 'a/x'])), ['1', '2', '3'])
})

test('clients take turns, whoever came first', () => {
  const line = lineOf(['a1', 'a/x'], ['a2', 'a/x'], ['a3', 'a/x'], ['b1', 'b/x'], ['c1', 'c/x'])
  assert.equal(served(line), ['a1', 'b1', 'c1', 'a2', 'a3'])
})

test('the domains of a client take turns, and those in them', () => {
  const line = lineOf(
    ['x1', 'a/x/1'],
    ['x2', 'a/x/1'],
    ['x3', 'a/x/1'],
    ['y1', 'a/y'],
    ['x4', 'a/x/2'],
  )
  assert.equal(served(line), ['x1', 'y1', 'x4', 'x2', 'x3'])
})

test('a name and the names below it take turns', () => {
  const line = lineOf(['x1', 'a/x/1'], ['x2', 'a/x/1'], ['x', 'a/x'], ['xx', 'a/x'])
  assert.equal(served(line), ['x', 'x1', 'xx', 'x2'])
})

test('whose share is used up is passed over, with all that is below', () => {
  const line = lineOf(['a1', 'a/x'], ['b1', 'b/x'], ['b2', 'b/y'])
  const shares = new Shares(10)
  for (let i = 0; i < 5; i++) shares.take(thing('', 'a').claim)
  for (let i = 0; i < 3; i++) shares.take(thing('', 'c/x').claim)
  assert.equal(served(line, shares), ['b2'])
  assert.is(line.length, 2)
})

test('without a free place nothing comes out', () => {
  assert.equal(served(lineOf(['1', 'a']), new Shares(0)), [])
})

test('what is removed is not served, and leaves nothing behind', () => {
  const line = lineOf(['1', 'a/x'])
  const [two, three] = [thing('2', 'a/y'), thing('3', 'b')]
  line.add(two)
  line.add(three)
  assert.equal([line.remove(two), line.remove(two), line.length], [true, false, 2])
  assert.equal(served(line), ['1', '3'])
  assert.equal([line.length, line.remove(three)], [0, false])
})

test('what was only looked at keeps its turn until it is served', () => {
  const line = lineOf(['a1', 'a/x'], ['b1', 'b/x'], ['a2', 'a/x'])
  const shares = new Shares(100)
  const first = line.peek(shares)
  assert.equal([first?.name, line.peek(shares)?.name, line.length], ['a1', 'a1', 3])
  if (first !== undefined) line.serve(first)
  assert.equal([line.length, ...served(line)], [2, 'b1', 'a2'])
})

test('where the newest goes first, clients still take turns', () => {
  const line = lineOf(['a1', 'a/x/1'], ['a2', 'a/x/2'], ['b1', 'b'], ['a3', 'a/y'], ['b2', 'b'])
  const names: string[] = []
  for (let thing = line.peek(new Shares(9), true); thing; thing = line.peek(new Shares(9), true)) {
    names.push(thing.name)
    line.serve(thing)
  }
  assert.equal(names, ['a3', 'b2', 'a2', 'b1', 'a1'])
})

test('of a client with several domains the newest goes first, and then the others have a turn', () => {
  const line = lineOf(['1', 'a/x'], ['2', 'a/y'], ['3', 'a/x'], ['4', 'a/x'])
  const names: string[] = []
  for (let thing = line.peek(new Shares(9), true); thing; thing = line.peek(new Shares(9), true)) {
    names.push(thing.name)
    line.serve(thing)
  }
  assert.equal(names, ['4', '2', '3', '1'])
})

test('to ask whether anything has a place takes no turn away', () => {
  const line = lineOf(['a1', 'a/x'], ['b1', 'b/x'], ['b2', 'b/y'], ['c1', 'c'])
  const shares = new Shares(12)
  const taken = [thing('', 'a').claim, thing('', 'c').claim]
  for (const claim of taken) for (let i = 0; i < 4; i++) shares.take(claim)
  // Only b has a share now.
  for (let i = 0; i < 100; i++) assert.is(line.hasNext(shares), true)
  for (const claim of taken) for (let i = 0; i < 4; i++) shares.giveBack(claim)
  assert.equal(served(line), ['a1', 'b1', 'c1', 'b2'])
})

test('what has a place nowhere on its way down has none', () => {
  const line = lineOf(['1', 'a/x'], ['2', 'a/x/1'], ['3', 'b'])
  const shares = new Shares(11)
  assert.is(line.hasNext(shares), true)
  for (let i = 0; i < 4; i++) shares.take(thing('', 'c/x').claim)
  assert.is(line.hasNext(shares), true, 'b')
  for (let i = 0; i < 4; i++) shares.take(thing('', 'b').claim)
  assert.equal([line.hasNext(shares), line.peek(shares)], [false, undefined])
  for (let i = 0; i < 4; i++) shares.giveBack(thing('', 'c/x').claim)
  assert.is(line.hasNext(shares), true)
  assert.is(line.hasNext(new Shares(0)), false)
  assert.is(lineOf().hasNext(shares), false)
})

for (const [what, path] of [
  ['one client for one domain', () => 'a/x'],
  ['one client for a domain each', (i: number) => `a/${i}`],
  ['a client each', (i: number) => `${i}/x`],
] as const) {
  test(`a look at a thousand things of ${what} is as short as at one`, () => {
    const line = new FairLine<Thing>()
    for (let i = 0; i < 1000; i++) line.add(thing(`${i}`, path(i)))
    let asked = 0
    const ruleOf = (hasShare: boolean) => ({
      free: 1,
      hasShare: () => {
        asked += 1
        return hasShare
      },
    })
    const rule = ruleOf(true)
    assert.is(line.hasNext(rule), true)
    assert.ok(line.peek(rule))
    assert.ok(line.peek(rule, true))
    assert.is(asked, 6, 'a client and a domain in each look')
    asked = 0
    assert.is(line.hasNext(ruleOf(false)), false)
    assert.ok(asked <= 64, `${asked} looks`)
  })
}

test('the newest of a holder whose share is used up is passed over', () => {
  const line = lineOf(['x', 'a/x'], ['y', 'a/y'])
  const shares = new Shares(10)
  for (let i = 0; i < 4; i++) shares.take(thing('', 'c/y').claim)
  assert.is(line.peek(shares, true)?.name, 'x')
})

test('everything comes out at the end', () => {
  const line = lineOf(['1', 'a/x'], ['2', 'a'], ['3', 'b/y/z'])
  assert.equal(
    line
      .clear()
      .map(({ name }) => name)
      .toSorted(),
    ['1', '2', '3'],
  )
  assert.equal([line.length, served(line)], [0, []])
})

test('behind thousands of holders that have used up their share, one that has not is found in a few looks', () => {
  const line = new FairLine<Thing>()
  const shares = new Shares(2500)
  for (let i = 0; i < 2000; i++) {
    const hog = thing('', `hog ${i}`)
    line.add(hog)
    shares.take(hog.claim)
  }
  while (shares.free > 1) shares.take([])
  line.add(thing('modest', 'modest'))
  let looks = 1
  while (line.next(shares)?.name !== 'modest') assert.ok(++looks < 40)
})

test.run()
