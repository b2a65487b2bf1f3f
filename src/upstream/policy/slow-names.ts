/**
 * Remembers which questions one server takes long for, so that they do not share a connection with quick ones: by name, by parent
 * domain (an outside network's reverse zone, a namespace of ExternalNames), by type for names that the server must ask others for, and
 * by client, for one whose names have nothing else in common. Keeps 32 bits of a hash for each, in a table of fixed size that is made with the first slow answer. A collision or a
 * forgotten name costs one question its place on a shared connection, and nothing else. Pure.
 */
import { headerBytes } from '../../wire/constants.ts'

/** The question as the memory looks at it. */
export interface NotedQuestion {
  readonly frame: Uint8Array
  readonly questionEnd: number
  /** The server may have to ask others for it. */
  readonly mayRecurse: boolean
  /** Who asks comes first. */
  readonly claim: readonly { readonly key: number }[]
}

/** Scores are shares of slow answers, with the newest weighing most. */
const scoreMax = 255
/** One slow answer marks a name, two quick ones in a row clear it. */
const nameWeight = 1 / 2
const nameSlowFrom = scoreMax / 4
/** Two slow answers in a row mark a parent, and it stays marked while half of the answers below it are slow. */
const parentWeight = 1 / 3
/** Six mark a type, or a client. */
const wideWeight = 1 / 8
const sharedSlowFrom = scoreMax / 2

export class SlowNames {
  private readonly entriesMax: number
  private tags: Uint32Array | undefined
  private scores = new Uint8Array(0)

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax
  }

  /** Whether to expect a slow answer. */
  isSlow(question: NotedQuestion): boolean {
    if (this.tags === undefined) return false
    return (
      this.scoreOf(nameHash(question)) >= nameSlowFrom ||
      this.scoreOf(parentHash(question)) >= sharedSlowFrom ||
      (question.mayRecurse && this.scoreOf(typeHash(question)) >= sharedSlowFrom)
    )
  }

  /** Whether at least half of what its client has asked lately is slow: what the client asks next may be, and no name tells. */
  isSlowAsker(question: NotedQuestion): boolean {
    return this.tags !== undefined && this.scoreOf(clientHash(question)) >= sharedSlowFrom
  }

  /** It was asked apart and has no answer. Tells of its client only: who asks for silent names would otherwise be cleared by its other ones. */
  noteSilent(question: NotedQuestion): void {
    if (this.tags !== undefined) this.weigh(clientHash(question), true, wideWeight)
  }

  note(question: NotedQuestion, isSlow: boolean): void {
    if (this.tags === undefined) {
      if (!isSlow) return
      this.tags = new Uint32Array(this.entriesMax)
      this.scores = new Uint8Array(this.entriesMax)
    }
    this.weigh(nameHash(question), isSlow, nameWeight)
    this.weigh(parentHash(question), isSlow, parentWeight)
    if (question.mayRecurse) this.weigh(typeHash(question), isSlow, wideWeight)
    this.weigh(clientHash(question), isSlow, wideWeight)
  }

  private scoreOf(hash: number): number {
    const at = hash % this.entriesMax
    return this.tags?.[at] === hash ? (this.scores[at] as number) : 0
  }

  /** A quick answer makes no entry: what is not in the table is quick. */
  private weigh(hash: number, isSlow: boolean, weight: number): void {
    const { tags } = this
    if (tags === undefined) return
    const at = hash % this.entriesMax
    const before = tags[at] === hash ? (this.scores[at] as number) : 0
    if (!isSlow && before === 0) return
    tags[at] = hash
    this.scores[at] = Math.round(before + ((isSlow ? scoreMax : 0) - before) * weight)
  }
}

function nameHash({ frame, questionEnd }: NotedQuestion): number {
  return hashOf(frame, headerBytes, questionEnd - 4)
}

function parentHash({ frame, questionEnd }: NotedQuestion): number {
  const labelBytes = frame[headerBytes] as number
  const from = Math.min(headerBytes + 1 + labelBytes, questionEnd - 5)
  // A name must not count as its own parent.
  return (hashOf(frame, from, questionEnd - 4) ^ 1) >>> 0
}

function typeHash({ frame, questionEnd }: NotedQuestion): number {
  return hashOf(frame, questionEnd - 4, questionEnd)
}

function clientHash({ claim: [client] }: NotedQuestion): number {
  return ((client?.key ?? 0) ^ 2) >>> 0
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash >>> 0
}
