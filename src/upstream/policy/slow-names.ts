/**
 * Remembers which questions one server takes long for, so that they do not share a connection with quick ones: by name, by parent
 * domain (an outside network's reverse zone, a namespace of ExternalNames), and by type for names that the server must ask others
 * for. Keeps 32 bits of a hash for each, in a table of fixed size that is made with the first slow answer. A collision or a
 * forgotten name costs one question its place on a shared connection, and nothing else. Pure.
 */
import { headerBytes } from '../../wire/constants.ts'

/** The question as the memory looks at it. */
export interface NotedQuestion {
  readonly frame: Uint8Array
  readonly questionEnd: number
  /** The server may have to ask others for it. */
  readonly mayRecurse: boolean
}

/** Scores are shares of slow answers, with the newest weighing most. */
const scoreMax = 255
/** One slow answer marks a name, two quick ones in a row clear it. */
const nameWeight = 1 / 2
const nameSlowFrom = scoreMax / 4
/** Two slow answers in a row mark a parent, and it stays marked while half of the answers below it are slow. */
const parentWeight = 1 / 3
/** Six mark a type. */
const typeWeight = 1 / 8
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

  note(question: NotedQuestion, isSlow: boolean): void {
    if (this.tags === undefined) {
      if (!isSlow) return
      this.tags = new Uint32Array(this.entriesMax)
      this.scores = new Uint8Array(this.entriesMax)
    }
    this.weigh(nameHash(question), isSlow, nameWeight)
    this.weigh(parentHash(question), isSlow, parentWeight)
    if (question.mayRecurse) this.weigh(typeHash(question), isSlow, typeWeight)
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

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash >>> 0
}
