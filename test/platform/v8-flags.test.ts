// Goal: flags that are given after the start work. Method: processes of Node that measure their own heap.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mustRun, runToEnd } from '../support/process.ts'

const test = suite('platform/v8-flags')

const module = import.meta.resolve('../../src/platform/v8-flags.ts')

async function node(script: string): Promise<string> {
  const { output, code } = await runToEnd(process.execPath, ['--input-type=module', '-e', script])
  assert.is(code, 0, output)
  return output.trim()
}

test('collectGarbage frees garbage without a flag at the start', async () => {
  const said = await node(`
    import { collectGarbage } from '${module}'
    let garbage = Array.from({ length: 400_000 }, (_, i) => ({ i, text: 'x' + i }))
    const held = () => process.memoryUsage().heapUsed
    garbage = garbage.length
    const before = held()
    collectGarbage()
    console.log(before, held())
  `)
  const [before, after] = said.split(' ').map(Number)
  assert.ok(Number(after) < Number(before) / 2, `${before} to ${after} bytes`)
})

test('collectGarbage leaves no gc function behind', async () => {
  const kind = await node(`
    import { collectGarbage } from '${module}'
    collectGarbage()
    console.log(typeof globalThis.gc)
  `)
  assert.is(kind, 'undefined')
})

test('the heap’s growth can be limited after the start', async () => {
  const script = `
    import { getHeapStatistics } from 'node:v8'
    import { limitHeapGrowth } from '${module}'
    if (process.argv[1] === 'limited') limitHeapGrowth(50)
    const kept = new Map()
    let peak = 0
    for (let n = 0; n < 2_000_000; n += 1) {
      kept.set(n % 100_000, { pair: [n, n + 1], text: "text " + n })
      if (n % 20_000 === 0) peak = Math.max(peak, getHeapStatistics().used_heap_size)
    }
    console.log(peak)`
  const flags = ['--max-semi-space-size=2', '--input-type=module-typescript', '-e', script]
  const peakOf = async (word: string) => Number(await mustRun(process.execPath, [...flags, word]))
  const limited = await peakOf('limited')
  const free = await peakOf('free')
  assert.ok(limited < 0.75 * free, `${limited} of ${free} bytes`)
})

test.run()
