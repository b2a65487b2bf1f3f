/**
 * A stage of the resolver: one reason why a question gets what it gets. The resolver asks its stages in order; the first that decides is the
 * last that is asked. `explain` asks the same stages, and lets none of them commit.
 */

import type { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { Follows } from '../question/arrival.ts'

/** @typeParam F what the stage has found; `commit` and `foretell` get it back */
export interface Stage<F extends object = object> {
  /** For people. */
  readonly name: string
  /** Changes nothing. @returns undefined when the stage has nothing to say, and nothing to remember */
  judge(inquiry: Inquiry): F | undefined
  /** Fills the decision and does what else the finding calls for. @returns whether the question is decided */
  commit(inquiry: Inquiry, finding: F): boolean
  /** What `commit` would do. Changes nothing. */
  foretell(inquiry: Inquiry, finding: F): Foretold
  /** What the stage looks at, one line each, whether it has found anything or not. Changes nothing. */
  evidence?(inquiry: Inquiry): string[]
}

/** What a question would get, as far as one stage is concerned. `why` is for people. */
export type Foretold = ForetoldReply | ForetoldWait | ForetoldPass

export interface ForetoldPass {
  readonly kind: 'pass'
  readonly why: string
  /** Keys of questions that `commit` opens nevertheless: later stages find them under way. */
  readonly opens?: readonly string[]
}

export interface ForetoldReply {
  readonly kind: 'reply'
  readonly why: string
  readonly source: ReplySource
  readonly rcode: number
  /** The message whose records are given, its TTLs as stored; undefined for a reply without records. */
  readonly image: Uint8Array | undefined
}

export interface ForetoldWait {
  readonly kind: 'wait'
  readonly why: string
  /** Key of the question that is waited for. */
  readonly key: string
  /** Upstream group that is asked. */
  readonly group: string
  /** It is not under way yet. */
  readonly starts: boolean
  /** It is another question than the client's, and why it is waited for. */
  readonly follows: Follows | undefined
  /** An expired answer is given instead when that takes too long. */
  readonly hasStale: boolean
}
