/** Goal: what the kernel answered and passed up has its series, and zeros where it is off. Method: given counts, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { passedReasons } from '../../../src/kernel/layout.ts'
import { passedUpReasons } from '../../../src/observe/families/kernel-hits.ts'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/kernel-hits')

test('reasons are those that the program counts, in its order', () => {
  assert.equal([...passedUpReasons], [...passedReasons])
})

test('counts go to their series', async () => {
  const kernelHits = {
    isOn: true,
    why: '',
    interfaces: 3,
    leftAlone: 1,
    entries: 9,
    counts: [100, 1, 2, 3, 4, 5, 6, 0],
  }
  const scraped = await scrape(sourcesWith({ kernelHits: () => kernelHits }))
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_on'), [[{}, 1]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_total'), [[{}, 100]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_interfaces'), [
    [{ state: 'attached' }, 3],
    [{ state: 'left_alone' }, 1],
  ])
  assert.equal(
    seriesIn(scraped, 'neardns_kernel_hits_passed_total'),
    passedUpReasons.map((reason, i) => [{ reason }, i + 1]),
  )
})

test('without it all is zero', async () => {
  const scraped = await scrape(sourcesWith({ kernelHits: () => undefined }))
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_on'), [[{}, 0]])
  assert.equal(seriesIn(scraped, 'neardns_kernel_hits_total'), [[{}, 0]])
})

test.run()
