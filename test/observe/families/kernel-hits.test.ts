/** Goal: what the kernel answered and passed up has its series, and zeros where it is off. Method: given counts, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { passedReasons } from '../../../src/kernel/layout.ts'
import { passedUpReasons } from '../../../src/observe/families/kernel-hits.ts'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/kernel-hits')

const allZero = {
  why: '',
  interfaces: 0,
  leftAlone: { policy: 0, program: 0, uplink: 0, refused: 0 },
  entries: 0,
  counts: [],
}

test('reasons are those that the program counts, in its order', () => {
  assert.equal([...passedUpReasons], [...passedReasons])
})

test('counts go to their series', async () => {
  const kernelHits = {
    off: undefined,
    why: '',
    interfaces: 3,
    leftAlone: { policy: 1, program: 2, uplink: 3, refused: 0 },
    entries: 9,
    counts: [100, 1, 2, 3, 4, 5, 6, 0],
  }
  const scraped = await scrape(sourcesWith({ kernelHits: () => kernelHits }))
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_on'), [[{}, 1]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_total'), [[{}, 100]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_interfaces'), [
    [{ state: 'attached' }, 3],
    [{ state: 'policy' }, 1],
    [{ state: 'program' }, 2],
    [{ state: 'uplink' }, 3],
    [{ state: 'refused' }, 0],
  ])
  assert.equal(
    seriesIn(scraped, 'neardns_kernel_hits_passed_total'),
    passedUpReasons.map((reason, i) => [{ reason }, i + 1]),
  )
})

test('why it is off is one of a few reasons', async () => {
  const off = { ...allZero, off: 'permission' as const }
  const scraped = await scrape(sourcesWith({ kernelHits: () => off }))
  const inForce = seriesIn(scraped, 'neardns_kernel_hits_off').filter(([, value]) => value === 1)
  assert.equal(inForce, [[{ reason: 'permission' }, 1]])
})

test('without it all is zero', async () => {
  const scraped = await scrape(sourcesWith({ kernelHits: () => undefined }))
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_on'), [[{}, 0]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_total'), [[{}, 0]])
})

test.run()
