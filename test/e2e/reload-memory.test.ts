/*
 * Goal: a configuration that is replaced leaves nothing behind, however often that happens. Method: a daemon in a process of its own,
 * 360 reloads, and what lives in its heap after each sixty.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

export const testTimeoutMs = 120_000

const test = suite('e2e/reload-memory')

const main = join(import.meta.dirname, 'reload-memory-main.ts')
/** A configuration is some 20 kB, and a group of upstreams 5 kB. */
const bytesPerReloadMax = 1000

test('what lives in the heap does not grow with reloads', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', main])
  const { bytes, reloadsPerRound }: { bytes: number[]; reloadsPerRound: number } =
    JSON.parse(stdout)
  // The first two rounds compile code, and fill tables that stay.
  const [start = 0, ...later] = bytes.slice(2)
  const perReload = (Math.min(...later) - start) / (later.length * reloadsPerRound)
  assert.ok(perReload < bytesPerReloadMax, `${perReload} bytes a reload: ${bytes}`)
})

test.run()
