/** Goal: the memory of the process is read where the system tells it, and its absence is no exception. Method: reads that throw, and the real ones. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMemory, readResidentBytes } from '../../src/platform/process-memory.ts'

const test = suite('platform/process-memory')

const throws = () => {
  throw new Error('ENOENT: no such file or directory, uv_resident_set_memory')
}

test('where there is a /proc all numbers are those of Node', () => {
  const { rss, heapUsed } = readMemory()
  assert.ok(rss !== undefined && rss > 10_000_000)
  assert.ok(heapUsed > 1_000_000)
  assert.ok((readResidentBytes() ?? 0) > 10_000_000)
})

test('where there is none the heap is known all the same, the resident memory is not', () => {
  const { rss, heapTotal, heapUsed } = readMemory(throws)
  assert.is(rss, undefined)
  assert.ok(heapTotal >= heapUsed && heapUsed > 1_000_000)
  assert.is(readResidentBytes(throws), undefined)
})

test.run()
