/** Goal: the search path shows its denials by evidence, its audit and answer mode. Method: given numbers, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SearchView } from '../../../src/observe/stats.ts'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/search')

const view: SearchView = {
  structure: 1,
  cut: 2,
  shared: 3,
  mismatches: 4,
  audits: 5,
  probes: 6,
  cuts: 7,
  breakersOpen: 8,
  level: 'full',
  fingerprint: 'coredns',
  answered: 0,
  fallbacks: {},
  answerState: undefined,
}

const numbers: readonly (readonly [name: string, value: number])[] = [
  ['neardns_search_mismatch_total', 4],
  ['neardns_search_audits_total', 5],
  ['neardns_search_probes_total', 6],
  ['neardns_search_cuts', 7],
  ['neardns_search_breakers_open', 8],
]

const evidence = (structure: number, cut: number, shared: number) => [
  [{ evidence: 'structure' }, structure],
  [{ evidence: 'cut' }, cut],
  [{ evidence: 'shared' }, shared],
]

test('denials are counted by their evidence, and their audit beside them', async () => {
  const scraped = await scrape(sourcesWith({ search: () => view }))
  assert.equal(seriesIn(scraped, 'neardns_search_synthesised_total'), evidence(1, 2, 3))
  for (const [name, value] of numbers) assert.equal(seriesIn(scraped, name), [[{}, value]], name)
  assert.equal(seriesIn(scraped, 'neardns_search_trust_info'), [
    [{ level: 'full', fingerprint: 'coredns' }, 1],
  ])
})

test('while the search path is off, its counters are 0 and the trust level says so', async () => {
  const scraped = await scrape(sourcesWith({}))
  assert.equal(seriesIn(scraped, 'neardns_search_synthesised_total'), evidence(0, 0, 0))
  for (const [name] of numbers) assert.equal(seriesIn(scraped, name), [[{}, 0]], name)
  assert.equal(seriesIn(scraped, 'neardns_search_trust_info'), [
    [{ level: 'off', fingerprint: 'unseen' }, 1],
  ])
})

test('answer mode has labelled series only while a namespace uses it', async () => {
  const off = await scrape(sourcesWith({ search: () => view }))
  assert.equal(seriesIn(off, 'neardns_search_answered_total'), [[{}, 0]])
  assert.equal(seriesIn(off, 'neardns_search_answer_fallbacks_total'), [])
  assert.equal(seriesIn(off, 'neardns_search_answer_mode_info'), [])
  const answers = { answerState: 'on', answered: 9, fallbacks: { pinned: 2, type: 0 } }
  const on = await scrape(sourcesWith({ search: () => ({ ...view, ...answers }) }))
  assert.equal(seriesIn(on, 'neardns_search_answered_total'), [[{}, 9]])
  assert.equal(seriesIn(on, 'neardns_search_answer_fallbacks_total'), [
    [{ reason: 'pinned' }, 2],
    [{ reason: 'type' }, 0],
  ])
  assert.equal(seriesIn(on, 'neardns_search_answer_mode_info'), [[{ state: 'on' }, 1]])
})

test.run()
