/** Goal: each page says what its source says, with the status that probes read. Method: the pages as functions, without a server. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { standardPages, timed } from '../../src/observe/admin-pages.ts'
import { newHealthSlots } from '../../src/observe/families/all.ts'

const test = suite('observe/admin-pages')

function pagesWith(reasons: readonly string[], isStarted: boolean) {
  const pages = standardPages({
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'a 1\n' }),
    ready: async () => reasons,
    isStarted: () => isStarted,
  })
  return (path: string) => pages.get(path)?.()
}

test('there are five pages', () => {
  const sources = {
    metrics: () => Promise.reject(new Error('not asked')),
    ready: () => [],
    isStarted: () => true,
  }
  assert.equal(
    [...standardPages(sources).keys()],
    ['/', '/metrics', '/health', '/ready', '/startup'],
  )
})

test('metrics keep the content type of their format', async () => {
  const page = await pagesWith([], true)('/metrics')
  assert.equal(page, { status: 200, contentType: 'text/plain; version=0.0.4', body: 'a 1\n' })
})

test('health is OK whatever is not ready', async () => {
  assert.equal(await pagesWith(['udp: failed'], false)('/health'), { status: 200, body: 'OK\n' })
})

test('ready gives the reasons, one a line', async () => {
  assert.equal(await pagesWith([], false)('/ready'), { status: 200, body: 'OK\n' })
  assert.equal(await pagesWith(['udp: failed', 'tcp: failed'], true)('/ready'), {
    status: 503,
    body: 'udp: failed\ntcp: failed\n',
  })
})

test('startup fails until the start is completed, for no reason of its own too, and never again', async () => {
  assert.equal(await pagesWith([], false)('/startup'), {
    status: 503,
    body: 'start: not completed\n',
  })
  assert.equal(await pagesWith(['drain: stopping'], true)('/startup'), {
    status: 200,
    body: 'OK\n',
  })
})

test('the time of a page is counted in its bucket, and added to the sum', async () => {
  const slots = newHealthSlots()
  const waitMs = 30
  const page = timed(async () => {
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    return { status: 200, body: 'OK\n' }
  }, slots)
  assert.equal(await page(), { status: 200, body: 'OK\n' })
  // 25 ms is the third bound: at least one bucket above it.
  assert.equal([...slots.slice(0, 3)], [0, 0, 0])
  assert.is(
    slots.slice(3, 6).reduce((sum, count) => sum + count, 0),
    1,
  )
  assert.ok((slots[6] ?? 0) >= (waitMs - 1) / 1000, String(slots[6]))
})

test.run()
