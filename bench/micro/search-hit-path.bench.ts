/**
 * What the search path adds to a query, step by step. Names outside the cluster domain have a bar: little time, no garbage. Names inside
 * are judged only when the cache has no answer.
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
import { defaultOutlook } from './fixture.ts'
import type { MicroBench, MicroCase } from './measure.ts'

const nowMs = 1000
const count = 256
/** For names outside the cluster domain. One word for each operation would be 8 bytes. */
const bar = { ns: 300, bytes: 0.1 }

interface Name {
  readonly bytes: Buffer
  readonly query: Buffer
  readonly question: Question
}

function makeNames(suffix: string, type: TypeName = 'A'): Name[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `www.host-${i}.${suffix}`
    const query = writeQuery(name, type)
    const question = new Question()
    readQuestion(query, query.length, question)
    return { bytes: nameBytes(name), query, question }
  })
}

function nameBytes(name: string): Buffer {
  const bytes = parseName(name)
  if (bytes === undefined) throw new Error(`no name: ${name}`)
  return Buffer.from(bytes)
}

export const bench: MicroBench = () => [...outsideCases(), ...insideCases()]

/** Trust as declared, CoreDNS seen, `com` known to be no Service of `team-0` and no namespace. */
function makeStage() {
  const outlook = defaultOutlook(53)
  const path = new DataPath(
    { ...outlook, trust: { ...outlook.trust, level: 'declared' } },
    { log: createLog({ level: 'silent' }) },
    new SystemClock(),
  )
  const search = path.search.path
  if (search === undefined) throw new Error('the search path is off')
  const data = Buffer.concat([
    nameBytes('ns.dns.cluster.local'),
    nameBytes('hostmaster.cluster.local'),
    Buffer.alloc(20),
  ])
  const { known } = search
  known.soa = { owner: nameBytes('cluster.local'), data, ttlSeconds: 5 }
  known.trust.fingerprint = 'coredns'
  for (const cut of ['com.team-0.svc.cluster.local', 'com.svc.cluster.local'])
    known.cuts.learnAbsence(nameBytes(cut).toString('latin1'), 5, nowMs)
  known.cuts.learnExistence(nameBytes('web.team-0.svc.cluster.local').toString('latin1'), 5, nowMs)
  return { cache: path.cache, search, stage: new SearchStage(path.search, path.router) }
}

function judging(name: string, suffix: string): MicroCase {
  const { search } = makeStage()
  const names = makeNames(suffix)
  let at = 0
  const op = () => {
    at = (at + 1) % count
    const { bytes } = names[at] as Name
    return search.judge.denialOf(bytes, bytes.length, nowMs) === undefined ? 0 : 1
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
    inquiry.entry = cache.lookup(inquiry.key)
    const finding = stage.judge(inquiry)
    return finding !== undefined && stage.commit(inquiry, finding)
  }
  for (const each of names) {
    const { bytes } = each
    // The first of each kind is asked; here CoreDNS has confirmed it.
    const denial = search.judge.denialOf(bytes, bytes.length, nowMs)
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
    return cache.lookup(key.read(query, question)) === undefined ? 0 : 1
  }
  return { name, op }
}

function outsideCases(): MicroCase[] {
  return [
    { ...judging('outside: shape and cuts', 'example.com'), bar },
    { ...judging('outside, ends like the domain: shape and cuts', 'xcluster.local'), bar },
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
