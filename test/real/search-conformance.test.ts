/**
 * Goal: whatever neardns says about a name of the cluster without asking, CoreDNS would have said within the last 5 s.
 * Method: real CoreDNS, two versions, every mode of `pods`, over a made-up cluster with Services of every kind; generated
 * questions of every shape go to CoreDNS directly and, at each trust level, to neardns: cold, warm, and when all that is
 * left of the first answers is knowledge about the zone. `npm run test:search-long` asks ten times as many;
 * NEARDNS_SEARCH_ONLY=1.11.3 (any part of a test's title) takes a part of that run.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Differential, differential, firstOf } from '../support/lab/search-differential.ts'
import { searchQuestions } from '../support/lab/search-questions.ts'
import {
  Cluster,
  type CorefileParts,
  plainCorefile,
  type SearchDaemon,
  startAtEachLevel,
  trustLevels,
} from '../support/lab/search-rig.ts'
import { corednsOlderVersion, corednsVersion, needing } from '../support/needs.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'

/** Questions for each level, version and mode. */
const isLong = process.env['NEARDNS_SEARCH_LONG'] === '1'
const names = isLong ? 55_000 : 6_000
const fewerNames = isLong ? 20_000 : 1_500
/** What CoreDNS gives its answers: short, or the last pass has to wait longer. */
const ttlSeconds = isLong ? 5 : 2
const only = process.env['NEARDNS_SEARCH_ONLY'] ?? ''
const seed = Number(process.env['NEARDNS_SEARCH_SEED'] ?? 20_261_123)

const test = needing(suite('real/search-conformance'), 'coredns', 'coredns-older')

const world = makeKubeWorld(isLong ? 200 : 60)

interface Setting {
  readonly version: string
  readonly pods: 'insecure' | 'verified' | 'disabled'
  readonly names: number
}

const groups: readonly (readonly Setting[])[] = [
  [{ version: corednsVersion, pods: 'insecure', names }],
  [
    { version: corednsVersion, pods: 'verified', names: fewerNames },
    { version: corednsVersion, pods: 'disabled', names: fewerNames },
  ],
  [{ version: corednsOlderVersion, pods: 'insecure', names }],
]

for (const group of groups) {
  const who = group.map(({ version, pods }) => `${version} with pods ${pods}`).join(' and ')
  if (!who.includes(only)) continue
  test(`at each trust level, generated questions to CoreDNS ${who} get its answers`, async () => {
    await Promise.all(group.map(conforms))
  })
}

async function conforms({ version, pods, names: count }: Setting): Promise<void> {
  const corefile = (parts: CorefileParts) => plainCorefile(parts, { pods, ttl: ttlSeconds })
  const cluster = await Cluster.start({ world, version, corefile })
  let daemons: SearchDaemon[] = []
  try {
    daemons = await startAtEachLevel(cluster, { auditOneIn: 50 })
    const found = await differential({
      direct: cluster.direct,
      proxies: daemons.map(({ proxy }) => proxy),
      questions: searchQuestions(world, count, seed),
      repeatAfterMs: ttlSeconds * 1000 + 1000,
    })
    for (const [i, daemon] of daemons.entries()) {
      assert.is(await daemon.level(), trustLevels[i])
      await judge(`${version} ${pods} ${trustLevels[i]}`, daemon, found[i])
    }
  } finally {
    for (const daemon of daemons) await daemon.stop()
    await cluster.stop()
  }
}

async function judge(
  who: string,
  daemon: SearchDaemon,
  found: Differential | undefined,
): Promise<void> {
  if (found === undefined) throw new Error('nothing was asked')
  const { replies, rcodes, wrong, formFaults } = found
  const synthesised = await daemon.synthesised()
  const audits = await daemon.metric('neardns_search_audits_total')
  const counts = [...rcodes].map(([rcode, n]) => `${n} with rcode ${rcode}`).join(', ')
  console.log(
    `  ${who}: ${replies} replies (${counts}), ${synthesised} made here, ${audits} audited; ${wrong.length} wrong`,
  )
  assert.is(wrong.length, 0, firstOf(wrong, replies))
  assert.is(formFaults.length, 0, firstOf(formFaults, replies))
  // Or the comparison would prove nothing.
  assert.ok(synthesised > replies / 20, `only ${synthesised} denials were made here`)
  assert.is(await daemon.mismatches(), 0, daemon.complaints().join(' '))
}

test.run()
