/**
 * Goal: what the hypervisor disturbed is measured again, and not for ever; gaps are seen. Method: made-up gaps; the real program.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CalmGate, gapUsMax, gapWatch, type WatchGaps } from '../../bench/comparison/calm-gate.ts'
import { needing } from '../support/needs.ts'

const test = suite('bench/calm-gate')

/** Each run sees the next of these gaps, the last one again and again. */
function scripted(...gapsUs: readonly number[]) {
  let at = 0
  const watch: WatchGaps = async (run) => {
    const gapUs = gapsUs[Math.min(at++, gapsUs.length - 1)] ?? 0
    return { result: await run(), gapUs }
  }
  return watch
}

async function numbered(gate: CalmGate): Promise<{ result: number; gapUs: number }> {
  let number = 0
  return gate.untilCalm(async () => ++number)
}

test('a calm run stands', async () => {
  const gate = new CalmGate(scripted(gapUsMax), 10)
  assert.equal(await numbered(gate), { result: 1, gapUs: gapUsMax })
  assert.is(gate.repeats, 0)
})

test('a disturbed run is repeated until one is calm', async () => {
  const gate = new CalmGate(scripted(9000, 5000, 300), 10)
  assert.equal(await numbered(gate), { result: 3, gapUs: 300 })
  assert.is(gate.repeats, 2)
})

test('after six tries the last one is returned with its gap', async () => {
  const gate = new CalmGate(scripted(9000), 100)
  assert.equal(await numbered(gate), { result: 6, gapUs: 9000 })
})

test('all runs share one number of repeats', async () => {
  const gate = new CalmGate(scripted(9000), 7)
  assert.is((await numbered(gate)).result, 6)
  assert.is((await numbered(gate)).result, 3)
  assert.is((await numbered(gate)).result, 1)
})

test('what the run throws is passed on', async () => {
  const gate = new CalmGate(scripted(0), 7)
  const failing = () => Promise.reject(new Error('it ended'))
  const why = await gate.untilCalm(failing).catch((error: Error) => error.message)
  assert.is(why, 'it ended')
})

const tools = needing(suite('bench/calm-gate with the probe'), 'gcc', 'root')

tools('the probe says how long a CPU was not to be had', async () => {
  const watch = await gapWatch([0])
  // On a busy machine the probe's own thread may come late.
  const { result, gapUs } = (await watch?.(() => sleep(300, 'ran'))) ?? {}
  assert.is(result, 'ran')
  // Without any gap the wake-up itself takes a microsecond or more.
  assert.ok(gapUs !== undefined && gapUs > 0 && Number.isFinite(gapUs), String(gapUs))
})

test.run()
tools.run()
