/**
 * Goal: while Services, endpoints and namespaces come and go, neardns says nothing about any name that CoreDNS has not said
 * within the last 5 s, and what it has told to exist it does not deny before it is gone.
 * Method: the truth is learned from CoreDNS in each state of each part of the cluster that changes; then the parts change at
 * random while clients ask about them, at each trust level, and every reply is judged by the log of changes.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../fuzz/random.ts'
import { ChangingCluster } from '../support/lab/search-churn.ts'
import { firstOf } from '../support/lab/search-differential.ts'
import { type Heard, judgeHeard, runClients } from '../support/lab/search-judge.ts'
import {
  Cluster,
  type CorefileParts,
  plainCorefile,
  type SearchDaemon,
  startAtEachLevel,
  trustLevels,
} from '../support/lab/search-rig.ts'
import { changingUnits } from '../support/lab/search-world.ts'
import { watchStalls } from '../support/lab/stall-probe.ts'
import { corednsOlderVersion, corednsVersion, needing } from '../support/needs.ts'
import { place } from '../support/world/behind-veth.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'

const isLong = process.env['NEARDNS_SEARCH_LONG'] === '1'
const questionsMin = isLong ? 60_000 : 6000
const runMs = isLong ? 90_000 : 9000
/** Takes a part of a long run: any part of the version. */
const only = process.env['NEARDNS_SEARCH_ONLY'] ?? ''
const seed = Number(process.env['NEARDNS_SEARCH_SEED'] ?? 20_261_123)

const test = needing(suite('real/search-changes'), 'coredns', 'coredns-older')

const world = makeKubeWorld(20)

interface Setting {
  readonly version: string
  /** Seconds that CoreDNS gives its data; its denials are kept for at most 5. */
  readonly ttl: number
}

const settings: readonly Setting[] = [
  { version: corednsVersion, ttl: 5 },
  // As kubeadm writes it.
  { version: corednsOlderVersion, ttl: 30 },
]

for (const { version, ttl } of settings) {
  if (!version.includes(only)) continue
  test(`while the cluster behind CoreDNS ${version} changes, nothing is told that it did not say within 5 s`, async () => {
    const corefile = (parts: CorefileParts) => plainCorefile(parts, { ttl })
    const cluster = await Cluster.start({ world, version, corefile })
    const changing = new ChangingCluster(
      cluster.api,
      cluster.direct,
      changingUnits(world.namespaces.slice(2)),
    )
    let daemons: SearchDaemon[] = []
    try {
      await changing.learnTruth()
      daemons = await startAtEachLevel(cluster, { auditOneIn: 100 })
      const heard: Heard[][] = daemons.map(() => [])
      const stalledMs = watchStalls()
      const endMs = performance.now() + runMs
      const isOver = () =>
        performance.now() > endMs && heard.every(({ length }) => length >= questionsMin)
      await Promise.all([
        changing.run(new Random(seed), isOver),
        ...daemons.map(
          async ({ proxy }, i) =>
            await runClients({
              proxy,
              units: changing.units,
              random: new Random(seed + i),
              count: 4,
              isOver,
              heard: heard[i] ?? [],
            }),
        ),
      ])
      const slackMs = 300 + stalledMs()
      for (const [i, daemon] of daemons.entries()) {
        assert.is(await daemon.level(), trustLevels[i])
        await judge({
          who: `${version} ${trustLevels[i]}`,
          changing,
          daemon,
          heard: heard[i] ?? [],
          ttl,
          slackMs,
        })
      }
    } finally {
      for (const daemon of daemons) await daemon.stop()
      await changing.stop()
      await cluster.stop()
    }
  })
}

interface Trial {
  readonly who: string
  readonly changing: ChangingCluster
  readonly daemon: SearchDaemon
  readonly heard: readonly Heard[]
  readonly ttl: number
  readonly slackMs: number
}

async function judge({ who, changing, daemon, heard, ttl, slackMs }: Trial): Promise<void> {
  const limits = { negativeMs: 5000, positiveMs: ttl * 1000, slackMs }
  const { wrong, relapses, splits, outdated, outdatedMaxMs } = judgeHeard(changing, heard, limits)
  const synthesised = await daemon.synthesised()
  const inKernel = await daemon.metric('neardns_kernel_hits_total')
  console.log(
    `  ${who}: ${heard.length} replies while ${changing.changes} changes (seen within ${changing.lagMaxMs.toFixed(0)} ms), ${synthesised} made here, ${inKernel} by the kernel; ${wrong.length} wrong, ${relapses.length} relapses, ${splits.length} split pairs, ${outdated} up to ${outdatedMaxMs.toFixed(0)} ms old`,
  )
  assert.is(wrong.length, 0, firstOf(wrong, heard.length))
  assert.is(relapses.length, 0, firstOf(relapses, heard.length))
  assert.is(splits.length, 0, firstOf(splits, heard.length))
  // `npm run test:kernel-search`: without hits there it would show nothing.
  assert.ok(place.netns === undefined || inKernel > 0, 'the kernel answered nothing')
  assert.ok(synthesised > heard.length / 20, `only ${synthesised} denials were made here`)
  assert.is(await daemon.mismatches(), 0, daemon.complaints().join(' '))
}

test.run()
