/** Goal: the group of workers is published. Method: given numbers, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/workers')

test('workers wanted, ready and replaced are published, each reason from the start', async () => {
  const workers = { wanted: 4, ready: 3, restarts: { ended: 0, killed: 2, hung: 1 } }
  const scraped = await scrape(sourcesWith({ workers: () => workers }))
  assert.equal(seriesIn(scraped, 'neardns_workers'), [[{}, 4]])
  assert.equal(seriesIn(scraped, 'neardns_workers_ready'), [[{}, 3]])
  assert.equal(seriesIn(scraped, 'neardns_worker_restarts_total'), [
    [{ reason: 'ended' }, 0],
    [{ reason: 'killed' }, 2],
    [{ reason: 'hung' }, 1],
  ])
})

test.run()
