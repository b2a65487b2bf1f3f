/**
 * One question on its way through the stages: what is asked, by which client, when, and what the cache has for it. Stages read
 * it, and write only its `decision`. One object per resolver, rewritten for each question.
 */
import { Question } from '../wire/question.ts'
import type { CacheEntry } from './cache/entry.ts'
import { QuestionKey } from './cache/key.ts'
import { type Asker, Decision, nobody } from './decision.ts'
import type { PairMember } from './search/pairs.ts'

export class Inquiry {
  readonly key = new QuestionKey()
  readonly decision = new Decision()
  /** At least header and question. */
  query: Uint8Array = new Uint8Array(0)
  question: Question = new Question()
  /** Monotonic. */
  nowMs = 0
  asker: Asker = nobody
  /** The cache's entry for the question under the present route, fresh or not. */
  entry: CacheEntry | undefined
  /** Keys of questions that earlier stages would have opened; set only while an outcome is foretold. */
  readonly assumed = new Set<string>()
  private keptMember: PairMember | undefined

  /** Sets everything but `entry`, which is looked up by the key. */
  read(query: Uint8Array, question: Question, nowMs: number, asker: Asker): this {
    this.key.read(query, question)
    this.query = query
    this.question = question
    this.nowMs = nowMs
    this.asker = asker
    this.keptMember = undefined
    return this
  }

  /** The entry, if it is fresh. */
  get fresh(): CacheEntry | undefined {
    const { entry } = this
    return entry?.isFresh(this.nowMs) === true ? entry : undefined
  }

  /** Whether an expired answer to this very question may be given when asking fails (RFC 8767). */
  get hasStale(): boolean {
    return this.entry?.isUsableStale(this.nowMs) === true
  }

  /** The question as a member of a pair; built on first use. */
  member(): PairMember {
    this.keptMember ??= {
      name: this.key.nameText(),
      client: this.asker.clientAddress(),
      clientPort: this.asker.clientPort,
      qtype: this.question.qtype,
    }
    return this.keptMember
  }
}
