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
    import { limitHeap } from '${module}'
    const limits = { growthPercent: 50, savesMemory: false }
    if (process.argv[1] === 'limited') limitHeap(limits)
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

test('memory is saved by compacting what is left of a heap in holes', async () => {
  const script = `
    import { getHeapStatistics } from 'node:v8'
    import { collectGarbage, limitHeap } from '${module}'
    limitHeap({ growthPercent: 50, savesMemory: process.argv[1] === 'saving' })
    const all = Array.from({ length: 300_000 }, (_, n) => ({ a: n, b: n, c: n, d: [n] }))
    collectGarbage()
    // Two of three stay: holes in each page, and no page of its own.
    const kept = all.filter((_, n) => n % 3 !== 0)
    all.length = 0
    for (let round = 0; round < 4; round++) collectGarbage()
    const { total_heap_size: held, used_heap_size: used } = getHeapStatistics()
    console.log(held - used, kept.length)`
  const flags = ['--max-semi-space-size=2', '--input-type=module-typescript', '-e', script]
  const holesOf = async (word: string) => {
    const said = await mustRun(process.execPath, [...flags, word])
    return Number(said.split(' ')[0])
  }
  const saving = await holesOf('saving')
  const free = await holesOf('free')
  assert.ok(saving < 0.75 * free, `${saving} of ${free} bytes`)
})

test.run()
