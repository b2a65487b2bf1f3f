// Goal: flags that are given after the start work. Method: processes of Node that measure their own heap.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runToEnd } from '../support/process.ts'

const test = suite('platform/v8-flags')

const module = import.meta.resolve('../../src/platform/v8-flags.ts')

async function node(script: string): Promise<string> {
  const { output, code } = await runToEnd(process.execPath, ['--input-type=module', '-e', script])
  assert.is(code, 0, output)
  return output.trim()
}

test('collectToTheLast frees garbage without a flag at the start', async () => {
  const said = await node(`
    import { collectToTheLast } from '${module}'
    let garbage = Array.from({ length: 400_000 }, (_, i) => ({ i, text: 'x' + i }))
    const held = () => process.memoryUsage().heapTotal
    garbage = garbage.length
    const before = held()
    collectToTheLast()
    console.log(before, held())
  `)
  const [before, after] = said.split(' ').map(Number)
  assert.ok(Number(after) < Number(before) / 2, `${before} to ${after} bytes`)
})

test('collectToTheLast leaves no gc function behind', async () => {
  const kind = await node(`
    import { collectToTheLast } from '${module}'
    collectToTheLast()
    console.log(typeof globalThis.gc)
  `)
  assert.is(kind, 'undefined')
})

test('limited growth keeps the heap smaller', async () => {
  // 1,000 of 4,000 arrays are held at a time: as much is thrown away as is made.
  const heapBytes = async (percent: number) =>
    Number(
      await node(`
        import { limitHeapGrowth } from '${module}'
        limitHeapGrowth(${percent})
        const kept = []
        for (let i = 0; i < 4000; i++) {
          kept[i % 1000] = Array.from({ length: 2000 }, (_, n) => ({ n }))
        }
        console.log(process.memoryUsage().heapTotal)
      `),
    )
  const [tight, loose] = [await heapBytes(20), await heapBytes(300)]
  // 122 and 309 MiB, measured.
  assert.ok(tight < 0.7 * loose, `${tight} against ${loose} bytes`)
})

test.run()
