/**
 * What the search path adds to a query, step by step: nothing may be felt by names outside the cluster domain, and they must not
 * leave garbage. Names inside are judged only when the cache has no answer. `npm run bench:search-hit-path` prints it.
 */

import { QuestionKey } from '../../src/core/cache/key.ts'
import { Inquiry } from '../../src/core/inquiry.ts'
import { SearchStage } from '../../src/core/search/stage.ts'
import { DataPath } from '../../src/daemon/data-path.ts'
import { createLog } from '../../src/observe/log.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { parseName } from '../../src/wire/name.ts'
import { Question, readQuestion } from '../../src/wire/question.ts'
import { type TypeName, writeQuery } from '../../test/support/client/dns-message.ts'
import { defaultOutlook } from '../micro/fixture.ts'
import { type MicroBench, type MicroCase, measure, wholeEffort } from '../micro/measure.ts'
import { alignedTable } from '../report/table.ts'
import { describeMachine } from '../support/machine.ts'

const nowMs = 1000
const count = 256
/** So many operations leave 32 MB behind at one word each, and the young generation holds 64. */
const garbageOps = 4_000_000
/** What names outside may cost: see `isBarred`. The odd octets are the clock's and the optimiser's. */
const barNs = 300
const barOctets = 0.1

interface Name {
  readonly octets: Buffer
  readonly query: Buffer
  readonly question: Question
}

function makeNames(suffix: string, type: TypeName = 'A'): Name[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `www.host-${i}.${suffix}`
    const query = writeQuery(name, type)
    const question = new Question()
    readQuestion(query, query.length, question)
    return { octets: octetsOf(name), query, question }
  })
}

function octetsOf(name: string): Buffer {
  const octets = parseName(name)
  if (octets === undefined) throw new Error(`no name: ${name}`)
  return Buffer.from(octets)
}

export const bench: MicroBench = () => [...outsideCases(), ...insideCases()]

/** Trust as declared, CoreDNS seen, `com` known to be no Service of `team-0` and no namespace. */
function makeStage() {
  const outlook = defaultOutlook(53)
  const path = new DataPath(
    { ...outlook, trust: { ...outlook.trust, level: 'declared' } },
    createLog({ level: 'silent' }),
    new SystemClock(),
  )
  const search = path.search.path
  if (search === undefined) throw new Error('the search path is off')
  const data = Buffer.concat([
    octetsOf('ns.dns.cluster.local'),
    octetsOf('hostmaster.cluster.local'),
    Buffer.alloc(20),
  ])
  const { known } = search
  known.soa = { owner: octetsOf('cluster.local'), data, ttlSeconds: 5 }
  known.trust.fingerprint = 'coredns'
  for (const cut of ['com.team-0.svc.cluster.local', 'com.svc.cluster.local'])
    known.cuts.learnAbsence(octetsOf(cut).toString('latin1'), 5, nowMs)
  known.cuts.learnExistence(octetsOf('web.team-0.svc.cluster.local').toString('latin1'), 5, nowMs)
  return { cache: path.cache, search, stage: new SearchStage(path.search, path.router) }
}

function judging(name: string, suffix: string): MicroCase {
  const { search } = makeStage()
  const names = makeNames(suffix)
  let at = 0
  const op = () => {
    at = (at + 1) % count
    const { octets } = names[at] as Name
    return search.judge.denialOf(octets, octets.length, nowMs) === undefined ? 0 : 1
  }
  return { name, op }
}

const asker = { clientAddress: () => '10.0.0.7', clientPort: 40_000, turns: 0 }

/** The whole stage: judged, and where denied, the reply made and the questions opened that keep it true. */
function beginning(name: string, suffix: string, type: TypeName): MicroCase {
  const { search, stage, cache } = makeStage()
  const names = makeNames(suffix, type)
  const inquiry = new Inquiry()
  const begin = ({ query, question }: Name): boolean => {
    inquiry.read(query, question, nowMs, asker)
    inquiry.entry = cache.lookup(inquiry.key, nowMs)
    const finding = stage.judge(inquiry)
    return finding !== undefined && stage.commit(inquiry, finding)
  }
  for (const each of names) {
    const { octets } = each
    // The first of each kind is asked; here CoreDNS has confirmed it.
    const denial = search.judge.denialOf(octets, octets.length, nowMs)
    if (denial !== undefined && search.known.audit.isFirst(denial.subject, nowMs)) {
      search.known.audit.noteFirst(denial.subject, nowMs)
      search.known.audit.confirm(denial.subject, nowMs)
    }
    begin(each)
  }
  let at = 0
  const op = () => {
    at = (at + 1) % count
    return begin(names[at] as Name) ? 1 : 0
  }
  return { name, op }
}

function lookingUp(name: string, suffix: string, type: TypeName): MicroCase {
  const { cache } = makeStage()
  const names = makeNames(suffix, type)
  const key = new QuestionKey()
  let at = 0
  const op = () => {
    at = (at + 1) % count
    const { query, question } = names[at] as Name
    return cache.lookup(key.read(query, question), nowMs) === undefined ? 0 : 1
  }
  return { name, op }
}

function outsideCases(): MicroCase[] {
  return [
    judging('outside: shape and cuts', 'example.com'),
    judging('outside, ends like the domain: shape and cuts', 'xcluster.local'),
    lookingUp('outside: cache look-up alone, nothing there', 'example.com', 'AAAA'),
    beginning('outside: cache look-up and search path, A', 'example.com', 'A'),
    beginning('outside: cache look-up and search path, AAAA', 'example.com', 'AAAA'),
  ]
}

function insideCases(): MicroCase[] {
  return [
    judging('inside, impossible: shape and cuts', 'com.cluster.local'),
    judging('inside, denied by a cut: shape and cuts', 'com.svc.cluster.local'),
    judging('inside, may exist: shape and cuts', 'web.team-0.svc.cluster.local'),
    lookingUp('inside: cache look-up alone, nothing there', 'com.svc.cluster.local', 'A'),
    beginning('inside, impossible: whole denial', 'com.cluster.local', 'A'),
    beginning('inside, denied by a cut: whole denial', 'com.svc.cluster.local', 'A'),
  ]
}

/** @returns octets left behind by each operation, over so many that one word each would show */
function garbage({ op }: MicroCase): number {
  let sum = 0
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < garbageOps; i++) sum += op()
  const after = process.memoryUsage().heapUsed
  return sum < 0 ? Number.NaN : Math.max(0, after - before) / garbageOps
}

/** Names outside must be let through in no time and without garbage; what the cache leaves behind is its own. */
function isBarred({ name }: MicroCase): boolean {
  return name.startsWith('outside') && name.endsWith('shape and cuts')
}

if (import.meta.main) {
  const cases = await bench()
  const rows = cases.map((each) => {
    const { nsPerOp, p99NsPerOp, bytesPerOp } = measure(each, wholeEffort)
    const octets = isBarred(each) ? garbage(each) : undefined
    if (octets !== undefined && (nsPerOp > barNs || octets > barOctets)) process.exitCode = 1
    const left = octets?.toFixed(3) ?? ''
    return [each.name, ...[nsPerOp, p99NsPerOp, bytesPerOp].map((n) => n.toFixed(0)), left]
  })
  const head = ['step', 'ns', 'p99 ns', 'octets', `octets, ${garbageOps} times`]
  const { cpu, loadAtStart } = describeMachine()
  process.stdout.write(
    `${cpu}, Node ${process.version}, load ${loadAtStart.toFixed(1)}\n\n${alignedTable(head, rows)}\n`,
  )
}
