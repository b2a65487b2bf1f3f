/** Goal: what the cache has from before is offered once, in parts, until there is no room or everything has changed again. Method: a shadow that notes. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Refill } from '../../src/kernel/refill.ts'
import { aRecord, Core } from '../core/support.ts'

const test = suite('kernel/refill')

interface World {
  readonly refill: Refill
  /** Names, in their order. */
  readonly offered: string[]
  readonly defects: unknown[]
}

function worldOf(entries: number, takes: (offered: number) => boolean = () => true): World {
  const core = new Core()
  for (let i = 0; i < entries; i++) {
    const name = `n${i}.example`
    core.learn(name, 'A', { answers: [aRecord(name, '10.0.0.1', 100)] })
  }
  const offered: string[] = []
  const defects: unknown[] = []
  const offer = ({ name }: { readonly name: string }) => {
    offered.push(name)
    return takes(offered.length)
  }
  const refill = new Refill({
    cache: core.cache,
    shadow: { offer },
    onDefect: (error) => defects.push(error),
  })
  return { refill, offered, defects }
}

test('each entry is offered once, and others get their turn meanwhile', async () => {
  const { refill, offered } = worldOf(200)
  await refill.done
  refill.begin()
  assert.is(offered.length, 0)
  await nextTurn()
  await nextTurn()
  assert.ok(offered.length > 0 && offered.length < 200, `${offered.length}`)
  await refill.done
  assert.is(offered.length, 200)
  assert.is(new Set(offered).size, 200)
})

test('without room for more it ends', async () => {
  const { refill, offered } = worldOf(200, (count) => count < 60)
  refill.begin()
  await refill.done
  assert.is(offered.length, 60)
})

test('one that is begun anew replaces the one before, and one that is ended stays so', async () => {
  const { refill, offered } = worldOf(200)
  refill.begin()
  refill.begin()
  await refill.done
  assert.is(offered.length, 200)
  refill.begin()
  refill.end()
  await refill.done
  assert.is(offered.length, 200)
})

test('a defect is reported, and keeps nobody waiting', async () => {
  const { refill, defects } = worldOf(1, () => {
    throw new Error('broken')
  })
  refill.begin()
  await refill.done
  assert.match(String(defects[0]), /broken/)
})

test.run()
