/** Counts what a rehearsal sees, and makes the report of it. Bounded: of each kind of difference a few examples are kept. Pure. */
import { ReplySource } from '../core/facts.ts'
import type { AnswerForm } from './answer-form.ts'
import { answerForm } from './answer-form.ts'
import type { Cover } from './cover-names.ts'
import { type Reason, reasons, type Verdict } from './difference.ts'
import { nameOf, type PodQuery, typeOf } from './pod-query.ts'
import type { Answered, Difference, Example, Group, NotJudged, Report } from './report.ts'
import { Waits } from './waits.ts'

const examplesMax = 10
/** Servers beside those of the pods, by their queries. */
const othersMax = 16
/** For the number of them. */
const clientsMax = 65_536

export interface TallyParts {
  readonly cover: Cover
  /** Name of the upstream group that a question belongs to. */
  readonly groupOf: (key: string) => string
  readonly isCluster: (key: string) => boolean
}

type AnsweredCounts = { -readonly [name in keyof Answered]: number }
type NotJudgedCounts = { -readonly [name in keyof NotJudged]: number }
type GroupCounts = { -readonly [name in keyof Group]: Group[name] }

const answeredBy: Readonly<Record<number, keyof Answered>> = {
  [ReplySource.cacheSuccess]: 'cache',
  [ReplySource.cacheDenial]: 'cache',
  [ReplySource.stale]: 'cache',
  [ReplySource.failureCache]: 'cache',
  [ReplySource.synthesised]: 'searchPath',
  [ReplySource.local]: 'configuration',
  [ReplySource.joined]: 'joined',
}

export class Tally {
  queries = 0
  readonly notJudged: NotJudgedCounts = {
    noReply: 0,
    lateReply: 0,
    noCapturedReply: 0,
    notAnswered: 0,
    odd: 0,
    unreadable: 0,
    tcp: 0,
    fragment: 0,
    cut: 0,
  }
  private readonly parts: TallyParts
  private readonly clients = new Set<string>()
  private readonly others = new Map<string, number>()
  private readonly same = { all: 0, otherTtl: 0, otherOrder: 0 }
  private readonly differences = new Map<Reason, { count: number; examples: Example[] }>()
  private readonly answered: AnsweredCounts = {
    cache: 0,
    searchPath: 0,
    configuration: 0,
    joined: 0,
    upstream: 0,
  }
  private readonly groups = new Map<string, GroupCounts>()
  private readonly waits = { now: new Waits(), rehearsed: new Waits() }

  constructor(parts: TallyParts) {
    this.parts = parts
  }

  sawClient(client: string): void {
    this.queries += 1
    if (this.clients.size < clientsMax) this.clients.add(client)
  }

  sawOther(server: string): void {
    if (this.others.size < othersMax || this.others.has(server))
      this.others.set(server, (this.others.get(server) ?? 0) + 1)
  }

  /** A query that the pod's server answered, and that the instance answers. */
  judged(query: PodQuery, verdict: Verdict): void {
    if (verdict.kind === 'unreadable') {
      this.notJudged.unreadable += 1
      return
    }
    this.countAnswer(query)
    if (verdict.kind === 'different') return this.countDifference(query, verdict.reason)
    this.same.all += 1
    if (verdict.isOtherTtl) this.same.otherTtl += 1
    if (verdict.isOtherOrder) this.same.otherOrder += 1
  }

  /** What the instance asked, whether or not a pod's query led to it. */
  asked(byGroup: ReadonlyMap<string, number>): void {
    for (const [group, count] of byGroup) this.group(group).rehearsed += count
  }

  report(
    rest: Omit<Report, 'queries' | 'clients' | 'otherServers' | keyof ReturnType<Tally['sums']>>,
  ): Report {
    const otherServers = [...this.others]
      .map(([server, queries]) => ({ server, queries }))
      .toSorted((a, b) => b.queries - a.queries)
    return {
      ...rest,
      queries: this.queries,
      clients: this.clients.size,
      otherServers,
      ...this.sums(),
    }
  }

  private sums() {
    const differences: Difference[] = [...this.differences].map(
      ([reason, { count, examples }]) => ({ reason, means: reasons[reason], count, examples }),
    )
    const order = Object.keys(reasons)
    differences.sort((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason))
    return {
      judged: this.same.all + differences.reduce((sum, { count }) => sum + count, 0),
      notJudged: { ...this.notJudged },
      same: { ...this.same },
      differences,
      answered: { ...this.answered },
      groups: [...this.groups.values()].toSorted((a, b) => b.now - a.now),
      waits: { now: this.waits.now.quantiles, rehearsed: this.waits.rehearsed.quantiles },
    }
  }

  private countAnswer(query: PodQuery): void {
    const { key, given, atMs, repliedMs, isFetch } = query
    if (given === undefined) return
    const by = answeredBy[given.source] ?? 'upstream'
    this.answered[by] += 1
    this.waits.now.add(repliedMs - atMs)
    this.waits.rehearsed.add(given.atMs - atMs)
    const group = this.group(this.parts.groupOf(key), this.parts.isCluster(key))
    group.queries += 1
    if (!isFetch) return
    group.now += 1
    if (by === 'searchPath') group.bySearchPath += 1
  }

  private countDifference(query: PodQuery, reason: Reason): void {
    const known = this.differences.get(reason) ?? { count: 0, examples: [] }
    known.count += 1
    if (known.examples.length < examplesMax) known.examples.push(this.example(query))
    this.differences.set(reason, known)
  }

  private example({ key, client, atMs, reply, given }: PodQuery): Example {
    const { cover } = this.parts
    return {
      atMs,
      name: cover.name(nameOf(key)),
      type: typeOf(key),
      client: cover.client(client),
      got: summary(reply && answerForm(reply)),
      gives: summary(given && answerForm(given.reply)),
      source: given?.source ?? -1,
    }
  }

  private group(name: string, isCluster?: boolean): GroupCounts {
    const known = this.groups.get(name)
    if (known !== undefined) return known
    const made = {
      name,
      isCluster: isCluster === true,
      queries: 0,
      now: 0,
      rehearsed: 0,
      bySearchPath: 0,
    }
    this.groups.set(name, made)
    return made
  }
}

function summary(form: AnswerForm | undefined): Example['got'] {
  if (form === undefined) return { rcode: -1, records: 0 }
  return { rcode: form.rcode, records: form.records.length }
}
