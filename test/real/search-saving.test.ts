/**
 * Goal: answering the search path by itself saves CoreDNS what it is said to save. Method: look-ups by glibc's resolver and the
 * load model of a whole node, counted by the upstreams' own metrics, and the same through CoreDNS configured like NodeLocal
 * DNSCache. A short version of `npm run bench:search`, whose figures are in docs/search-path.md.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type CostSample,
  type CostStep,
  meanCost,
  measureCosts,
} from '../support/lab/search-cost.ts'
import { type Middle, SearchLab } from '../support/lab/search-lab.ts'
import { measureLoad } from '../support/lab/search-load.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('real/search-saving'), 'coredns', 'netns', 'gcc')

const tlds = [...'bcdfghjklm'].map((letter) => `z${letter}`)
const rounds = 2

let lab: SearchLab

test.before(async () => {
  lab = await SearchLab.start({
    namespaces: 20,
    clusterTtlSeconds: 30,
    externalTtlSeconds: 60,
    tlds,
  })
})

test.after(async () => {
  await lab?.stop()
})

async function costsOf(middle: Middle): Promise<readonly CostSample[]> {
  try {
    return await measureCosts(lab, { tlds, rounds, waits: false })
  } finally {
    await middle.stop()
  }
}

/** Queries at CoreDNS and at the outside resolver; each may be audited once more than the bar says, and not each time. */
function atMost(
  samples: readonly CostSample[],
  labels: number,
  bars: Record<'cold' | 'second', number>,
) {
  const told = (['cold', 'second', 'warm'] satisfies CostStep[]).map((step) => {
    const { cluster, external } = meanCost(samples, step, labels)
    const bar = step === 'warm' ? 0 : bars[step]
    assert.ok(
      cluster <= bar + 1,
      `${labels} labels, ${step}: ${cluster} queries at CoreDNS, bar ${bar}`,
    )
    assert.ok(
      external <= (step === 'warm' ? 0 : 2),
      `${labels} labels, ${step}: ${external} outside`,
    )
    return `${step} ${cluster}`
  })
  process.stdout.write(`  ${labels} labels: ${told.join(', ')} queries at CoreDNS\n`)
}

test('a per-name cache lets six queries of each outside look-up through to CoreDNS', async () => {
  const samples = await costsOf(await lab.startPeer())
  for (const step of ['cold', 'second'] satisfies CostStep[]) {
    for (const labels of [2, 3, 4]) {
      assert.equal(meanCost(samples, step, labels), { cluster: 6, external: 2 })
    }
  }
})

test('with trust declared the second name of a top-level domain costs CoreDNS two audits at most', async () => {
  const samples = await costsOf(await lab.startNeardns('declared'))
  atMost(samples, 2, { cold: 5, second: 2 })
  atMost(samples, 3, { cold: 4, second: 1 })
  atMost(samples, 4, { cold: 2, second: 0 })
})

test('with trust cautious each new name is asked once, for A alone', async () => {
  const samples = await costsOf(await lab.startNeardns('cautious'))
  for (const labels of [2, 3, 4]) atMost(samples, labels, { cold: 7, second: 3 })
})

/** Cuts are asked again every 4.7 s, all at the same time here: a window of 14 s may see three or four of those. */
const loadSeconds = 14
const warmUpSeconds = 9
const noisePerSecondMax = 25

test(`a node with 20 namespaces, 30 names and 4 top-level domains sends CoreDNS at most ${noisePerSecondMax} queries a second`, async () => {
  const neardns = await lab.startNeardns('declared')
  try {
    const { report, perSecond } = await measureLoad(
      lab,
      {
        server: '169.254.20.10',
        namespaces: 20,
        namesPerNamespace: 30,
        tlds: tlds.slice(0, 4),
        isShared: false,
        periodMs: 1000,
        seconds: warmUpSeconds + loadSeconds,
      },
      warmUpSeconds,
    )
    const rate = perSecond.cluster.toFixed(1)
    process.stdout.write(`  ${report.sent} queries, ${rate} a second at CoreDNS\n`)
    assert.is(report.wrong, 0)
    assert.ok(perSecond.cluster <= noisePerSecondMax, `${rate} a second`)
    assert.ok(report.lost < report.sent / 1000, `${report.lost} lost`)
  } finally {
    await neardns.stop()
  }
})

test.run()
