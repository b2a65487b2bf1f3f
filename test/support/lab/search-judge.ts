/**
 * Clients of a changing cluster, and the verdict on what they were told: whether each answer was CoreDNS's own at some time
 * within the allowed past, and whether a name that was once told to exist was denied afterwards.
 */
import type { Random } from '../../fuzz/random.ts'
import { type Server, UdpClient } from '../client/dns-client.ts'
import { type ReadMessage, readMessage, writeQuery } from '../client/dns-message.ts'
import { place } from '../world/behind-veth.ts'
import { type Reign, withLabel } from './search-churn.ts'
import { replySummary, ttlMax } from './search-summary.ts'
import type { ChangingQuestion } from './search-world.ts'

/** Questions whose answers change together. */
interface AskedUnit {
  readonly questions: readonly ChangingQuestion[]
  /** Seconds that its answers may be kept, when it is not the same for all. */
  readonly ttl?: number
}

/** What changes while it is asked. */
export interface Changing {
  readonly units: readonly AskedUnit[]
  /** [unit][state][question]: what CoreDNS says, or how it begins. */
  readonly truth: readonly (readonly (readonly string[])[])[]
  /** The same: how an answer begins that may take the place of CoreDNS's denial (answer mode). */
  readonly instead?: readonly (readonly (readonly (string | undefined)[])[])[]
  readonly history: readonly (readonly Reign[])[]
}

/** One reply of the daemon, to be judged when all is over. */
export interface Heard {
  readonly client: number
  readonly unit: number
  readonly question: number
  readonly name: string
  readonly sentMs: number
  readonly receivedMs: number
  readonly summary: string
  readonly isPositive: boolean
  readonly rcode: number
  readonly ttl: number
  /** What was said about the other family, when both were asked together. */
  sibling?: Heard
}

export interface Clients {
  readonly proxy: Server
  readonly units: readonly AskedUnit[]
  readonly random: Random
  /** Each asks one name at a time. */
  readonly count: number
  readonly isOver: () => boolean
  readonly heard: Heard[]
  /** Draws a question of so many; any, unless given. */
  readonly draw?: (count: number) => number
}

/** Asks about the units until it is over, A and AAAA together and in any order, as stubs do. */
export async function runClients(clients: Clients): Promise<void> {
  const { count } = clients
  await Promise.all(Array.from({ length: count }, async (_, i) => await runClient(clients, i)))
}

async function runClient(
  { proxy, units, random, isOver, heard, draw = (count) => random.below(count) }: Clients,
  number: number,
): Promise<void> {
  // Pods have addresses of their own.
  const address = place.clientHost(number)
  while (!isOver()) {
    const unit = random.below(units.length)
    const all = units[unit]?.questions ?? []
    const label = labelOf(random)
    const asked = [draw(all.length)]
    const sibling = all.findIndex((question) => isSibling(question, all[asked[0] ?? 0]))
    if (sibling >= 0 && random.below(3) > 0) asked.push(sibling)
    const drawn = asked.map((index) => ({ index, question: all[index] ?? { name: '', type: 'A' } }))
    const questions = drawn.map(
      ({ question }) =>
        ({ ...question, name: withLabel(question.name, label) }) as ChangingQuestion,
    )
    const replies = await lookUp(proxy, address, questions)
    const together: Heard[] = replies.map((reply, i) => ({
      unit,
      question: drawn[i]?.index ?? 0,
      client: number,
      ...reply,
      summary: withoutLabel(reply.summary, drawn[i]?.question.name ?? '', label),
    }))
    const [first, second] = together
    if (first !== undefined && second !== undefined) first.sibling = second
    heard.push(...together)
  }
}

/** From a socket of its own, as the stubs of glibc and musl have it. */
async function lookUp(
  proxy: Server,
  address: string,
  questions: readonly ChangingQuestion[],
): Promise<Reply[]> {
  const client = await UdpClient.open(proxy, address)
  try {
    return await askTogether(client, questions)
  } finally {
    await client.close()
  }
}

/** Few enough to meet some again, many enough to meet new ones for ever; a third of them never seen before. */
function labelOf(random: Random): string {
  return random.below(3) === 0 ? `once${random.below(1_000_000)}` : `h${random.below(50)}`
}

/** As the truth was asked: an answer made by a wildcard has the name of its question. */
function withoutLabel(summary: string, name: string, label: string): string {
  if (!name.includes('{}')) return summary
  return summary.replaceAll(new RegExp(`\\b${label}\\.`, 'g'), 'anything.')
}

/** The same name, asked for the other family. */
function isSibling(a: ChangingQuestion, b: ChangingQuestion | undefined): boolean {
  if (b === undefined || a.name !== b.name) return false
  return (a.type === 'A' && b.type === 'AAAA') || (a.type === 'AAAA' && b.type === 'A')
}

type Reply = Omit<Heard, 'client' | 'unit' | 'question' | 'sibling'>

/** Sends all at once and returns the replies in the order of the questions. */
async function askTogether(
  client: UdpClient,
  questions: readonly ChangingQuestion[],
): Promise<Reply[]> {
  const sent = questions.map(({ name, type }, index) => {
    const query = writeQuery(name, type, { id: (Math.floor(Math.random() * 0x4000) << 2) | index })
    client.send(query)
    return { id: query.readUInt16BE(0), name, sentMs: performance.now() }
  })
  const replies: Reply[] = []
  for (let left = sent.length; left > 0; left--) {
    const message = await client.next(6000)
    if (message === undefined) throw new Error(`no reply for ${questions[0]?.name}`)
    const read = readMessage(message)
    const index = sent.findIndex(({ id }) => id === read.id)
    const of = sent[index]
    if (of === undefined) throw new Error('a reply that nobody asked for')
    replies[index] = replyOf(of.name, of.sentMs, read)
  }
  return replies
}

function replyOf(name: string, sentMs: number, read: ReadMessage): Reply {
  return {
    name,
    sentMs,
    receivedMs: performance.now(),
    summary: replySummary(read),
    isPositive: read.answers.length > 0,
    rcode: read.rcode,
    ttl: ttlMax(read),
  }
}

export interface Limits {
  /** How old a denial or NODATA may be, and how old data. */
  readonly negativeMs: number
  readonly positiveMs: number
  /** For the way between CoreDNS, daemon and client on a busy machine. */
  readonly slackMs: number
}

export interface Judgement {
  readonly wrong: readonly string[]
  /** Denials of names that the daemon had told somebody to exist, and that existed all the while. */
  readonly relapses: readonly string[]
  /** A and AAAA of a name, asked together, of which one was denied and one not, while it came: musl would not find it. */
  readonly splits: readonly string[]
  /** Replies that were out of date, and by how much at most: allowed, but told. */
  readonly outdated: number
  readonly outdatedMaxMs: number
}

export function judgeHeard(cluster: Changing, heard: readonly Heard[], limits: Limits): Judgement {
  const wrong: string[] = []
  let outdated = 0
  let outdatedMaxMs = 0
  for (const reply of heard) {
    const ageMs = ageOf(cluster, reply)
    if (ageMs > 0) {
      outdated += 1
      outdatedMaxMs = Math.max(outdatedMaxMs, Math.min(ageMs, 1e9))
    }
    const allowedMs = allowedFor(cluster, reply, limits)
    if (ageMs > allowedMs + limits.slackMs) wrong.push(describe(cluster, reply, ageMs))
  }
  const split = heard.flatMap((reply) => splitOf(cluster, reply, limits) ?? [])
  return {
    wrong,
    relapses: relapses(cluster, heard, limits),
    splits: split,
    outdated,
    outdatedMaxMs,
  }
}

function allowedFor(cluster: Changing, reply: Heard, limits: Limits): number {
  // An alias of ours rests on denials.
  if (!reply.isPositive || isInstead(cluster, reply)) return limits.negativeMs
  const ttl = cluster.units[reply.unit]?.ttl
  return ttl === undefined ? limits.positiveMs : ttl * 1000
}

/** Whether answer mode said it. */
function isInstead(cluster: Changing, { unit, question, summary }: Heard): boolean {
  const all = cluster.instead?.[unit] ?? []
  return all.some((said) => said[question] !== undefined && summary.startsWith(said[question]))
}

/** Of what goes, one family is forgotten after the other, each at the end of its time; what comes must come as a whole. */
function splitOf(cluster: Changing, reply: Heard, limits: Limits): string | undefined {
  const { sibling } = reply
  if (sibling === undefined || (reply.rcode === 3) === (sibling.rcode === 3)) return undefined
  const endMs = Math.max(reply.receivedMs, sibling.receivedMs)
  const reigns = (cluster.history[reply.unit] ?? []).filter(({ fromMs }) => fromMs <= endMs)
  const last = reigns.at(-1)
  const exists = (state: number | undefined) =>
    state !== undefined &&
    cluster.truth[reply.unit]?.[state]?.[reply.question]?.startsWith('rcode 3') === false
  // It is going, or was there and went within the life of an answer.
  const hasGone = reigns.some(
    ({ state, untilMs }, i) =>
      exists(state) &&
      !exists(reigns[i + 1]?.state) &&
      i + 1 < reigns.length &&
      untilMs > endMs - 31_000,
  )
  if (!exists(last?.state) || hasGone) return undefined
  const denied = reply.rcode === 3 ? reply : sibling
  if (last !== undefined && isStraddled(cluster, denied, last, limits)) return undefined
  const [sent, received] = [sibling.sentMs - reply.sentMs, sibling.receivedMs - reply.sentMs]
  const other = `${sibling.summary.slice(0, 40)}, TTL ${sibling.ttl}, sent at ${sent.toFixed(1)}, received at ${received.toFixed(1)}`
  return `${describe(cluster, reply, 0)} received at ${(reply.receivedMs - reply.sentMs).toFixed(1)}, but ${other}`
}

/** The denial has just been fetched, while CoreDNS went on to the new state: asked directly, it might have said both. */
function isStraddled(
  cluster: Changing,
  { unit, sentMs, ttl }: Heard,
  last: Reign,
  { negativeMs }: Limits,
): boolean {
  const reigns = cluster.history[unit] ?? []
  const before = reigns[reigns.indexOf(last) - 1]
  return ttl * 1000 >= negativeMs && before !== undefined && sentMs <= before.untilMs
}

/** How long before the question the answer was last true; 0 when it was true between question and reply; infinite: never. */
function ageOf(cluster: Changing, reply: Heard): number {
  const { unit, sentMs, receivedMs } = reply
  let ageMs = Number.POSITIVE_INFINITY
  for (const { state, fromMs, untilMs } of cluster.history[unit] ?? []) {
    if (fromMs > receivedMs) break
    if (!isRight(cluster, state, reply)) continue
    ageMs = Math.min(ageMs, Math.max(0, sentMs - untilMs))
  }
  return ageMs
}

function isRight(cluster: Changing, state: number, { unit, question, summary }: Heard): boolean {
  const said = [cluster.truth, cluster.instead].map((all) => all?.[unit]?.[state]?.[question])
  return said.some((text) => text !== undefined && summary.startsWith(text))
}

/**
 * Once a name is told to exist by an answer that has just been fetched (its TTL is still whole), no later question for
 * it may be denied before it is gone again (docs/search-path.md, SP-10); but other clients may get the other half of a pair.
 */
function relapses(cluster: Changing, heard: readonly Heard[], limits: Limits): string[] {
  const found: string[] = []
  const told = new Map<string, Heard>()
  const bySent = heard.toSorted((a, b) => a.sentMs - b.sentMs)
  const proofs = heard
    .filter((reply) => isFreshProof(cluster, reply, limits))
    .toSorted((a, b) => a.receivedMs - b.receivedMs)
  const own = new Backlog(proofs, 0)
  const others = new Backlog(proofs, pairGapMs)
  for (const reply of bySent) {
    for (const proof of own.until(reply.sentMs))
      told.set(`${proof.client} ${proof.unit} ${proof.name}`, proof)
    for (const proof of others.until(reply.sentMs)) told.set(`${proof.unit} ${proof.name}`, proof)
    if (reply.rcode !== 3 || !isAddress(cluster, reply)) continue
    const key = `${reply.unit} ${reply.name}`
    const proof = told.get(`${reply.client} ${key}`) ?? told.get(key)
    if (proof === undefined) continue
    if (existedThroughout(cluster, reply, proof.sentMs - freshMs - limits.slackMs)) {
      const agoMs = (reply.sentMs - proof.receivedMs).toFixed(0)
      found.push(`${describe(cluster, reply, 0)}; told to exist ${agoMs} ms before`)
    }
  }
  return found
}

/** Halves of a pair that come later than this are none. */
const pairGapMs = 300

/** Replies in the order of their arrival, handed out some time after it. */
class Backlog {
  readonly #replies: readonly Heard[]
  readonly #delayMs: number
  #next = 0

  constructor(replies: readonly Heard[], delayMs: number) {
    this.#replies = replies
    this.#delayMs = delayMs
  }

  until(nowMs: number): readonly Heard[] {
    const first = this.#next
    while ((this.#replies[this.#next]?.receivedMs ?? Infinity) + this.#delayMs < nowMs) this.#next++
    return this.#replies.slice(first, this.#next)
  }
}

/** An answer whose TTL is whole was fetched within this time. */
const freshMs = 1000

function isFreshProof(cluster: Changing, reply: Heard, limits: Limits): boolean {
  const isWhole = reply.ttl * 1000 >= (reply.isPositive ? limits.positiveMs : limits.negativeMs)
  return reply.rcode === 0 && isWhole && isAddress(cluster, reply)
}

function isAddress(cluster: Changing, { unit, question }: Heard): boolean {
  const type = cluster.units[unit]?.questions[question]?.type
  return type === 'A' || type === 'AAAA'
}

function existedThroughout(cluster: Changing, reply: Heard, sinceMs: number): boolean {
  return (cluster.history[reply.unit] ?? [])
    .filter(({ fromMs, untilMs }) => fromMs <= reply.receivedMs && untilMs >= sinceMs)
    .every(
      ({ state }) =>
        cluster.truth[reply.unit]?.[state]?.[reply.question]?.startsWith('rcode 3') === false,
    )
}

function describe(cluster: Changing, reply: Heard, ageMs: number): string {
  const { type } = cluster.units[reply.unit]?.questions[reply.question] ?? { type: '?' }
  const states = (cluster.history[reply.unit] ?? [])
    .filter(({ untilMs }) => untilMs > reply.sentMs - 15_000)
    .filter(({ fromMs }) => fromMs < reply.receivedMs)
    .map(({ state, fromMs, untilMs }) => {
      const [from, until] = [fromMs, untilMs].map((ms) => (ms - reply.sentMs).toFixed(0))
      return `state ${state} from ${from} to ${until}`
    })
  return `${reply.name} ${type}: ${reply.summary.slice(0, 30)}, TTL ${reply.ttl}, last true ${ageMs.toFixed(0)} ms before (${states.join(', ')})`
}
