/**
 * Goal: a Corefile that puts names where the kubernetes plugin has none does no harm. Method: real CoreDNS with each thing that
 * operators do; names that it adds, names around them and the search list's noise are asked again and again. In cautious mode
 * every answer must be CoreDNS's. Declared against the truth, the first wrong answers must be found by the daemon itself, and
 * then be over. With trust auto, the Corefile itself must keep the level down.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../fuzz/random.ts'
import { askAllTcp, askAllUdp, type Question } from '../support/client/ask-all.ts'
import { lookup } from '../support/client/dns-client.ts'
import { Coredns } from '../support/coredns.ts'
import { freePort } from '../support/free-port.ts'
import {
  Cluster,
  type CorefileParts,
  plainCorefile,
  SearchDaemon,
} from '../support/lab/search-rig.ts'
import { meaningOf } from '../support/lab/search-summary.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { KubeApi } from '../support/world/kube-api.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'

const test = needing(suite('real/search-corefiles'), 'coredns')

const world = makeKubeWorld(3)

interface Case {
  readonly title: string
  readonly corefile: (parts: CorefileParts) => string | Promise<string>
  /** Names that the Corefile adds or changes, without the zone. */
  readonly strange: readonly string[]
  /** Whether structural rules or cuts would deny one of them: otherwise a false declaration does no harm. */
  readonly misleads: boolean
  /** Whether the Corefile is one that trust auto may trust. */
  readonly isPure?: boolean
}

const denial = 'rcode NXDOMAIN'

/** Short lives, so that what was learned is used and relearned within seconds. */
function plain(parts: CorefileParts, changes: Parameters<typeof plainCorefile>[1] = {}): string {
  return plainCorefile(parts, { ttl: 2, ...changes })
}

const cases: readonly Case[] = [
  {
    title: 'hosts with a name below the zone',
    corefile: (parts) =>
      plain(parts, {
        before:
          '  hosts {\n    10.1.1.1 reg.infra.cluster.local\n    fd00::9 reg.infra.cluster.local\n    10.1.1.2 db.legacy.team-0.svc.cluster.local\n    10.1.1.3 a.b.c.d.team-0.svc.cluster.local\n    fallthrough\n  }',
      }),
    strange: ['reg.infra', 'db.legacy.team-0.svc', 'a.b.c.d.team-0.svc'],
    misleads: true,
  },
  {
    title: 'rewrite that strips a search suffix',
    corefile: (parts) =>
      plain(parts, {
        before:
          '  rewrite stop {\n    name regex (.*\\.example\\.test)\\.[a-z0-9-]+\\.svc\\.cluster\\.local {1}\n    answer auto\n  }',
      }),
    strange: ['www.example.test.team-0.svc', 'example.test.team-1.svc'],
    misleads: true,
  },
  {
    title: 'rewrite of a name below the zone to a Service',
    corefile: (parts) =>
      plain(parts, {
        before:
          '  rewrite name exact old.api.cluster.local cluster-v4.team-0.svc.cluster.local answer auto',
      }),
    strange: ['old.api'],
    misleads: true,
  },
  {
    title: 'template for names below the zone',
    corefile: (parts) =>
      plain(parts, {
        before:
          '  template IN A cluster.local {\n    match "^node-[0-9]+\\.nodes\\.cluster\\.local\\.$"\n    answer "{{ .Name }} 5 IN A 10.2.0.1"\n    fallthrough\n  }',
      }),
    strange: ['node-1.nodes', 'node-22.nodes', 'node-x.nodes'],
    misleads: true,
  },
  {
    title: 'template that denies every AAAA',
    corefile: (parts) =>
      plain(parts, { before: `  template IN AAAA cluster.local {\n    ${denial}\n  }` }),
    strange: [
      'cluster-v4.team-0.svc',
      'headless.team-0.svc',
      'team-0.svc',
      'kubernetes.default.svc',
    ],
    misleads: false,
  },
  {
    title: 'template that denies every AAAA in the words of the kubernetes plugin',
    corefile: (parts) =>
      plain(parts, {
        before: `  template IN AAAA cluster.local {\n    ${denial}\n    authority "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"\n  }`,
      }),
    strange: [
      'cluster-v4.team-0.svc',
      'headless.team-0.svc',
      'team-0.svc',
      'kubernetes.default.svc',
    ],
    misleads: false,
  },
  {
    title: 'k8s_external with a zone below the zone',
    corefile: (parts) => plain(parts, { inside: '', before: '  k8s_external ext.cluster.local' }),
    strange: ['cluster-v4.team-0.ext', 'nosuch.team-0.ext', 'ext', 'team-0.ext'],
    misleads: true,
  },
  {
    title: 'fallthrough to a template that has more names in the zone',
    corefile: (parts) =>
      plain(parts, {
        inside: 'fallthrough',
        after: '',
      }).replace(
        '  template IN A example.test {',
        '  template IN A cluster.local {\n    match "^more[.].*"\n    answer "{{ .Name }} 5 IN A 10.3.0.1"\n    fallthrough\n  }\n  template IN ANY cluster.local {\n    rcode NXDOMAIN\n    authority ". 60 IN SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60"\n  }\n  template IN A example.test {',
      ),
    strange: ['more.stuff', 'more.com.team-0.svc', 'more.team-0.svc'],
    misleads: false,
  },
  {
    title: 'server block for a part of the zone',
    corefile: async (parts) => {
      const zoneFile = join(parts.directory, 'corp.zone')
      const soa = '@ 5 IN SOA ns.corp hostmaster.corp 1 7200 1800 86400 5'
      await writeFile(
        zoneFile,
        `$ORIGIN corp.cluster.local.\n${soa}\n@ 5 IN NS ns\nns 5 IN A 10.4.0.1\ndb.east 5 IN A 10.4.0.2\n`,
      )
      const block = `corp.cluster.local:${parts.port} {\n  bind 127.0.0.1\n  file ${zoneFile}\n}`
      return plain(parts, { after: block })
    },
    strange: ['corp', 'db.east.corp', 'east.corp', 'nosuch.corp'],
    misleads: true,
  },
  {
    title: 'nothing but the kubernetes plugin',
    corefile: (parts) => plain(parts),
    strange: ['kubernetes.default.svc'],
    misleads: false,
    isPure: true,
  },
]

/** The names that matter among noise that teaches all the cuts there are to learn. */
function questionsFor(strange: readonly string[], round: number): Question[] {
  const noise = [
    'infra',
    'api',
    'nodes',
    'com',
    `h${round}.infra`,
    `h${round}.api`,
    `h${round}.nodes`,
    `h${round}.corp`,
    `ksyun.com`,
    'www.ksyun.com',
    'ksyun.com.team-0.svc',
    `h${round}.com.team-0.svc`,
    `legacy.team-0.svc`,
    `h${round}.legacy.team-0.svc`,
    `d.team-0.svc`,
    `x.y.z.d.team-0.svc`,
    `h${round}.test.team-0.svc`,
    'test.team-0.svc',
    'test.team-1.svc',
    `other${round}.ns.test.team-0.svc`,
    'nosuch.svc',
    'cluster-v4.team-0.svc',
  ]
  const random = new Random(round + 1)
  // In any order: what is audited depends on it.
  const names = [...noise, ...strange, ...noise, ...strange]
    .map((name) => ({ name, place: random.below(1000) }))
    .toSorted((a, b) => a.place - b.place)
  return names.flatMap(({ name }) =>
    (['A', 'AAAA'] as const).map((type) => ({ name: `${name}.cluster.local`, type })),
  )
}

interface Trial {
  readonly wrong: string[]
  readonly asked: number
}

/** Asks for some rounds, a little apart, so that answers run out, and cuts and confirmations stay. */
async function trial(
  cluster: Cluster,
  daemon: SearchDaemon,
  { strange }: Case,
  rounds: readonly number[],
): Promise<Trial> {
  const wrong: string[] = []
  let asked = 0
  for (const round of rounds) {
    const questions = questionsFor(strange, round)
    const want = (await askAllTcp(cluster.direct, questions)).map(meaningOf)
    const got = (await askAllUdp(daemon.proxy, questions, { lanes: 1 })).map(meaningOf)
    for (const [i, { name, type }] of questions.entries()) {
      if (want[i] !== got[i])
        wrong.push(`round ${round}, ${name} ${type}: CoreDNS ${want[i]}, neardns ${got[i]}`)
    }
    asked += questions.length
    await new Promise((resolve) => setTimeout(resolve, 700))
  }
  return { wrong, asked }
}

const rounds = Array.from({ length: 6 }, (_, i) => i)

// Most of the time is spent waiting for answers to run out: a few at a time.
const atOnce = 2
for (let at = 0; at < cases.length; at += atOnce) {
  const some = cases.slice(at, at + atOnce)
  test(`Corefile with ${some.map(({ title }) => title).join('; with ')}`, async () => {
    await Promise.all(some.map(judge))
  })
}

async function judge(one: Case): Promise<void> {
  const cluster = await Cluster.start({ world, corefile: one.corefile })
  const daemons: SearchDaemon[] = []
  try {
    const start = async (settings: Parameters<typeof SearchDaemon.start>[1]) => {
      const daemon = await SearchDaemon.start(cluster.direct, settings)
      daemons.push(daemon)
      return daemon
    }
    const cautious = await start({})
    const declared = await start({ trust: 'declared', auditOneIn: 10 })
    const auto = await start({ trust: 'auto', corefile: cluster.corefile })
    const [a, b, c] = await Promise.all([
      trial(cluster, cautious, one, rounds),
      trial(cluster, declared, one, rounds),
      trial(cluster, auto, one, rounds),
    ])
    assert.is(a.wrong.length, 0, a.wrong.slice(0, 20).join('\n'))
    assert.is(await cautious.mismatches(), 0, cautious.complaints().join(' '))
    assert.is(c.wrong.length, 0, c.wrong.slice(0, 20).join('\n'))
    assert.is(await auto.level(), one.isPure === true ? 'verified' : 'cautious')
    const later = one.misleads ? await recovers(cluster, declared, one) : 0
    const made = await cautious.synthesised()
    const found = `${await declared.mismatches()} found by itself (${declared.complaints().join(' ')})`
    console.log(
      `  ${one.title}: cautious ${a.wrong.length} of ${a.asked} wrong (${made} made here); declared ${b.wrong.length + later} wrong, ${found}; auto is ${await auto.level()}`,
    )
    // What CoreDNS says of its own accord may end a rule before it has done harm.
    if (b.wrong.length > 0) assert.ok((await declared.mismatches()) > 0, 'nothing was found')
    if (!one.misleads) assert.is(b.wrong.length, 0, b.wrong.slice(0, 20).join('\n'))
  } finally {
    for (const daemon of daemons) await daemon.stop()
    await cluster.stop()
  }
}

/**
 * Wrong answers were given; the daemon finds out by itself, and gives no more.
 * @returns how many more were given until then
 */
async function recovers(cluster: Cluster, daemon: SearchDaemon, one: Case): Promise<number> {
  const roundsMax = 15
  let later = 0
  let rightInARow = 0
  for (let round = 0; rightInARow < 3; round++) {
    const { wrong } = await trial(cluster, daemon, one, [100 + round])
    later += wrong.length
    rightInARow = wrong.length === 0 ? rightInARow + 1 : 0
    assert.ok(round < roundsMax, wrong.slice(0, 20).join('\n'))
  }
  assert.ok((await daemon.metric('neardns_search_breakers_open')) > 0, 'nothing is off')
  return later
}

test('a CoreDNS that has not read the cluster yet teaches no absence', async () => {
  const apiPort = await freePort()
  const direct = { host: '127.0.0.1', port: await freePort() }
  const apiUrl = `http://127.0.0.1:${apiPort}`
  const base = '  bind 127.0.0.1\n  errors'
  const parts = { port: direct.port, base, apiUrl, directory: '' }
  const corefile = plainCorefile(parts, { inside: 'startup_timeout 500ms' })
  const coredns = await Coredns.start({ corefile })
  const daemons: SearchDaemon[] = []
  let api: KubeApi | undefined
  try {
    for (const trust of ['cautious', 'declared'])
      daemons.push(await SearchDaemon.start(direct, { trust }))
    const unready = [
      'kubernetes.default.svc',
      'cluster-v4.team-0.svc',
      'x.cluster-v4.team-0.svc',
      'ksyun.com.team-0.svc',
      'com.team-0.svc',
      'ksyun.com',
      'team-0.svc',
    ].flatMap((name) => pairOf(`${name}.cluster.local`))
    for (const { proxy } of daemons) {
      const replies = [...(await askAllUdp(proxy, unready)), ...(await askAllUdp(proxy, unready))]
      assert.equal([...new Set(replies.map(({ rcode }) => rcode))], [2])
    }
    api = await KubeApi.start(world, { port: apiPort })
    const isReady = async () =>
      (await lookup(direct, 'kubernetes.default.svc.cluster.local', 'A')).rcode === 0
    await until('CoreDNS to read the cluster', isReady, { timeoutMs: 30_000, everyMs: 50 })
    // Failures are remembered for a moment (RFC 9520); no denial may come in their place.
    for (const { proxy } of daemons) {
      for (const name of ['kubernetes.default.svc', 'cluster-v4.team-0.svc', 'team-0.svc']) {
        const isThere = async () => {
          const { rcode } = await lookup(proxy, `${name}.cluster.local`, 'A')
          assert.is.not(rcode, 3, `${name} is denied`)
          return rcode === 0
        }
        await until(name, isThere, { timeoutMs: 8000, everyMs: 100 })
      }
    }
  } finally {
    for (const daemon of daemons) await daemon.stop()
    await coredns.stop()
    await api?.stop()
  }
})

function pairOf(name: string): Question[] {
  return [
    { name, type: 'A' },
    { name, type: 'AAAA' },
  ]
}

test.run()
