/**
 * What the server said to the pods, question by question: what the instance is told when it would ask. Where a cache on the node stood
 * between (NodeLocal DNSCache), its answers have aged; they get the TTL back that the server gives, as far as the capture shows it. Pure.
 */
import { Rcode } from '../wire/constants.ts'
import { type AnswerForm, answerForm, saysTheSame, youngAgain } from './answer-form.ts'
import type { PodQuery } from './pod-query.ts'

export interface SaidSettings {
  /** The pods' server is a cache on this node. */
  readonly isCache: boolean
  /** Whether a name is the cluster's: its server gives all answers of a kind the same TTL. */
  readonly isCluster: (key: string) => boolean
}

/** What is told, and how long the server takes to say it. */
export interface Told {
  readonly reply: Buffer
  readonly tookMs: number
}

/** One reply, kept for as long as it may be told. */
interface Saying {
  readonly query: PodQuery
  readonly reply: Buffer
  readonly form: AnswerForm
}

interface Questioned {
  readonly sayings: Saying[]
  /** What was said so far, without TTLs and order; the newest last. */
  readonly forms: AnswerForm[]
  /** Largest TTL seen, by kind of answer. */
  readonly ttlMax: Record<Kind, number>
  /** Of the answer that the cache holds: when it expires, and when it was first given. */
  expiresMs: number
  firstMs: number
}

type Kind = 'data' | 'denial'

/** Replies of one question that are kept: the pods' last ones, and those that come while the replay is behind. */
const keptMs = 20_000
const sayingsMax = 64
/** Different answers to one question that are remembered for the whole capture. */
const formsMax = 64
/** Names that were asked about; a node's pods ask for fewer in an hour. */
const questionsMax = 200_000
/** CoreDNS's cache counts whole seconds down. */
const roundedMs = 1100
const tookMsAtFirst = 1

export class Said {
  private readonly settings: SaidSettings
  private readonly questions = new Map<string, Questioned>()
  private readonly clusterTtl: Record<Kind, number> = { data: 0, denial: 0 }
  private readonly tookMs = { cluster: tookMsAtFirst, others: tookMsAtFirst }

  constructor(settings: SaidSettings) {
    this.settings = settings
  }

  /** A pod has got its reply. Says also whether the server's cache had to ask for it. */
  note(query: PodQuery): void {
    const form = query.reply && answerForm(query.reply)
    if (query.reply === undefined || form === undefined) return
    const { key } = query
    const known = this.questions.get(key) ?? newlyAsked()
    // The newest last: the oldest are forgotten first.
    this.questions.delete(key)
    this.questions.set(key, known)
    for (const oldest of this.questions.keys()) {
      if (this.questions.size <= questionsMax) break
      this.questions.delete(oldest)
    }
    query.isFetch = this.isFetch(known, query, form)
    this.learnTtl(known, query, form)
    if (query.isFetch) this.learnTime(query)
    known.sayings.push({ query, reply: query.reply, form })
    keepForm(known.forms, form)
    while (known.sayings.length > 1 && this.isPast(known.sayings, query.atMs)) known.sayings.shift()
  }

  /** What the server says to a question that is asked at a time: its reply to the pod's query that is nearest. */
  tell(key: string, atMs: number): Told | undefined {
    const known = this.questions.get(key)
    const nearest = known && nearestTo(known.sayings, atMs)
    if (known === undefined || nearest === undefined) return undefined
    const { reply, form, query } = nearest
    const tookMs = query.isFetch ? query.repliedMs - query.atMs : this.usualTime(key)
    if (!this.settings.isCache) return { reply, tookMs }
    const kind = kindOf(form)
    const ttlSeconds = this.settings.isCluster(key) ? this.clusterTtl[kind] : known.ttlMax[kind]
    return { reply: youngAgain(reply, ttlSeconds), tookMs }
  }

  /** How long the server has taken lately to answer such a question. */
  usualTime(key: string): number {
    return this.tookMs[this.settings.isCluster(key) ? 'cluster' : 'others']
  }

  /** Whether the server said so to anybody, some seconds before or after. */
  hasSaid(key: string, isMeant: (form: AnswerForm) => boolean): boolean {
    return this.questions.get(key)?.sayings.some(({ form }) => isMeant(form)) === true
  }

  /** Whether it ever gave these records, in whatever order. */
  hasGiven(key: string, wanted: AnswerForm): boolean {
    return this.questions.get(key)?.forms.some((form) => saysTheSame(form, wanted)) === true
  }

  private isPast(sayings: readonly Saying[], nowMs: number): boolean {
    const [first] = sayings
    return sayings.length > sayingsMax || (first !== undefined && nowMs - first.query.atMs > keptMs)
  }

  /** An answer that expires later than the last one has been asked for; so have those that were waited for together with it. */
  private isFetch(known: Questioned, query: PodQuery, { ttlSeconds, rcode }: AnswerForm): boolean {
    if (!this.settings.isCache) return true
    if (ttlSeconds === undefined || (rcode !== Rcode.noerror && rcode !== Rcode.nxdomain))
      return true
    const expiresMs = query.repliedMs + ttlSeconds * 1000
    if (known.expiresMs !== 0 && expiresMs <= known.expiresMs + roundedMs)
      return query.atMs < known.firstMs
    known.expiresMs = expiresMs
    known.firstMs = query.repliedMs
    return true
  }

  private learnTtl(known: Questioned, { key }: PodQuery, form: AnswerForm): void {
    const kind = kindOf(form)
    const ttlSeconds = form.ttlSeconds ?? 0
    known.ttlMax[kind] = Math.max(known.ttlMax[kind], ttlSeconds)
    if (this.settings.isCluster(key))
      this.clusterTtl[kind] = Math.max(this.clusterTtl[kind], ttlSeconds)
  }

  private learnTime({ key, atMs, repliedMs }: PodQuery): void {
    this.tookMs[this.settings.isCluster(key) ? 'cluster' : 'others'] = repliedMs - atMs
  }
}

function newlyAsked(): Questioned {
  return { sayings: [], forms: [], ttlMax: { data: 0, denial: 0 }, expiresMs: 0, firstMs: 0 }
}

function keepForm(forms: AnswerForm[], form: AnswerForm): void {
  const last = forms.at(-1)
  if (last !== undefined && saysTheSame(last, form)) return
  const known = forms.findIndex((one) => saysTheSame(one, form))
  if (known >= 0) forms.splice(known, 1)
  forms.push(form)
  if (forms.length > formsMax) forms.shift()
}

function kindOf({ records }: AnswerForm): Kind {
  return records.length > 0 ? 'data' : 'denial'
}

/** Of two that are as near the later one: what is asked then gets it. */
function nearestTo(sayings: readonly Saying[], atMs: number): Saying | undefined {
  let nearest: Saying | undefined
  for (const one of sayings) {
    const away = Math.abs(one.query.atMs - atMs)
    if (nearest === undefined || away <= Math.abs(nearest.query.atMs - atMs)) nearest = one
  }
  return nearest
}
