/**
 * Goal: a pod in answer mode asks two questions for an outside name where others ask eight, finds the same addresses, and whoever is
 * not in it walks as ever. Method: the resolvers of glibc, musl, Go, c-ares and the JDK in a pod with three search domains and
 * ndots:5, real CoreDNS on both sides, questions counted by neardns's own metrics. That nothing goes wrong while the cluster
 * changes is in search-clients.test.ts; each condition by itself in test/core/search/answer-mode/answer-mode.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClientKind, clientNeeds, LookupLoop } from '../support/client/lookup-loop.ts'
import {
  answerModeFor,
  externalAddresses,
  SearchLab,
  type SearchLabOptions,
} from '../support/lab/search-lab.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('real/search-answers'), 'coredns', 'netns', ...clientNeeds)

const allKinds = ['glibc', 'musl', 'go', 'c-ares', 'jdk'] satisfies ClientKind[]
const options: SearchLabOptions = {
  namespaces: 3,
  clusterTtlSeconds: 5,
  externalTtlSeconds: 30,
  tlds: ['com', 'io'],
  tldsWithoutV6: ['io'],
}
/** The cluster's own in all spellings that walk; each with what it resolves to wherever it is asked. */
const internal = [
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

let lab: SearchLab

test.before(async () => {
  lab = await SearchLab.start(options)
})

test.after(async () => {
  await lab?.stop()
})

interface Plan {
  readonly settings: string
  readonly names: readonly string[]
  readonly kinds: readonly ClientKind[]
}

interface Trial {
  /** Questions for one look-up, once everything about its top-level domain is known. */
  readonly questions: number
  readonly addresses: string
}

/** By client and name. */
type Trials = ReadonlyMap<string, Trial>

async function lookUpAll({ settings, names, kinds }: Plan): Promise<Trials> {
  const neardns = await lab.startNeardns('declared', { settings })
  const clients = await Promise.all(kinds.map((kind) => LookupLoop.start(kind, lab.net.pod.name)))
  const trials = new Map<string, Trial>()
  try {
    // Siblings, so that CoreDNS has said what there is to learn about names of that kind.
    const [first] = clients
    for (const name of names)
      for (const host of ['warm', 'warmer']) await first?.lookup(name.replace(/^[^.]+/, host))
    await new Promise((resolve) => setTimeout(resolve, 150))
    for (const client of clients) {
      for (const name of names) {
        await client.lookup(name)
        const before = await lab.ownMetric('coredns_dns_requests_total')
        const { verdict, addresses } = await client.lookup(name)
        const questions = (await lab.ownMetric('coredns_dns_requests_total')) - before
        assert.is(verdict, 'ok', `${client.kind} ${name}`)
        trials.set(`${client.kind} ${name}`, { questions, addresses: addresses.join(' ') })
      }
    }
    return trials
  } finally {
    for (const client of clients) await client.stop()
    await neardns.stop()
  }
}

const outside = ['www.example.com', 'api.eu.example.com', 'v4.example.io']

test('every client finds the same with two questions as with eight', async () => {
  const names = [...outside, ...internal]
  const plan = { names, kinds: allKinds }
  const walking = await lookUpAll({ ...plan, settings: '' })
  const answered = await lookUpAll({ ...plan, settings: answerModeFor('team-0') })
  const counts = new Map<string, string>()
  for (const [trial, { questions, addresses }] of walking) {
    const [kind = '', name = ''] = trial.split(' ')
    assert.is(answered.get(trial)?.addresses, addresses, trial)
    if (!outside.includes(name)) {
      assert.is(answered.get(trial)?.questions, questions, trial)
      continue
    }
    const tld = name.slice(name.lastIndexOf('.') + 1)
    assert.is(addresses, externalAddresses(tld, options).toSorted().join(' '), trial)
    assert.equal([questions, answered.get(trial)?.questions], [8, 2], trial)
    counts.set(kind, `${questions} -> ${answered.get(trial)?.questions}`)
  }
  process.stdout.write(
    `  ${[...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')} questions\n`,
  )
})

test('a client outside the networks walks, and finds the same', async () => {
  const settings = answerModeFor('team-0', '192.0.2.0/24')
  const trials = await lookUpAll({ settings, names: outside, kinds: ['musl'] })
  for (const [trial, { questions }] of trials) assert.is(questions, 8, trial)
})

test('without anybody who vouches for the cluster domain it stays off, and says why', async () => {
  // A Corefile that proves nothing: the level is known only when it has been read.
  const settings = `  corefile: /dev/null\n${answerModeFor('team-0')}`
  const neardns = await lab.startNeardns('auto', { settings })
  const client = await LookupLoop.start('glibc', lab.net.pod.name)
  try {
    for (let i = 0; i < 3; i++) {
      const { addresses } = await client.lookup('www.example.com')
      assert.equal(addresses, externalAddresses('com', options))
    }
    assert.is(await lab.ownMetric('neardns_search_answered_total'), 0)
    const off = neardns.log().find(({ msg }) => msg === 'search path: answer mode is off')
    assert.match(String(off?.['why']), /cautious/)
  } finally {
    await client.stop()
    await neardns.stop()
  }
})

test.run()
