/** Goal: every outcome of a hand-over has a series. Method: given counts, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/handover')

const counts = {
  followed: 1,
  'handed-over': 2,
  failed: 3,
  stranger: 4,
  resumed: 5,
  'cache-refused': 6,
}

test('outcomes that did not occur have a series too', async () => {
  const handover = { counts: { ...counts, failed: 0 }, entriesRestored: 500 }
  const scraped = await scrape(sourcesWith({ handover: () => handover }))
  assert.equal(
    seriesIn(scraped, 'neardns_handover_events_total'),
    Object.entries(handover.counts).map(([event, value]) => [{ event }, value]),
  )
  assert.equal(seriesIn(scraped, 'neardns_handover_restored_entries'), [[{}, 500]])
})

test('without hand-over there are no outcomes', async () => {
  const scraped = await scrape(sourcesWith({ handover: () => undefined }))
  assert.equal(seriesIn(scraped, 'neardns_handover_events_total'), [])
  assert.equal(seriesIn(scraped, 'neardns_handover_restored_entries'), [[{}, 0]])
})

test.run()
