/**
 * A stage of the resolver: one reason why a question gets its answer. The resolver asks its stages in order and stops at the
 * first one that decides. `explain` asks the same stages, and lets none of them commit.
 */

import type { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { Follows } from '../question/arrival.ts'

/** @typeParam F what the stage has found; passed back to `commit` and `foretell` */
export interface Stage<F extends object = object> {
  /** For people. */
  readonly name: string
  /** Changes nothing. @returns undefined when the stage has nothing to say and nothing to record */
  judge(inquiry: Inquiry): F | undefined
  /** Fills the decision, and takes the other actions that the finding requires. @returns whether the question is decided */
  commit(inquiry: Inquiry, finding: F): boolean
  /** What `commit` would do. Changes nothing. */
  foretell(inquiry: Inquiry, finding: F): Foretold
  /** The evidence that the stage looks at, one line each, with or without a finding. Changes nothing. */
  evidence?(inquiry: Inquiry): string[]
  /** Whether it answers for a name, whatever an upstream says of it. @param name folded wire form */
  claims?(name: Uint8Array, nameBytes: number): boolean
  /**
   * Whether it may answer a question about a name otherwise than an upstream would: such answers are not taken from the cache or
   * foreseen by answer mode. Unlike a claim it says nothing about names that an upstream's alias leads to.
   * @param name folded wire form
   */
  alters?(name: Uint8Array, nameBytes: number): boolean
}

/** What a question would get from one stage. `why` is for people. */
export type Foretold = ForetoldReply | ForetoldWait | ForetoldPass

export interface ForetoldPass {
  readonly kind: 'pass'
  readonly why: string
  /** Keys of questions that `commit` would open anyway: later stages would find them in flight. */
  readonly opens?: readonly string[]
}

export interface ForetoldReply {
  readonly kind: 'reply'
  readonly why: string
  readonly source: ReplySource
  readonly rcode: number
  /** The message whose records are given, with its TTLs as stored; undefined for a reply without records. */
  readonly image: Uint8Array | undefined
}

export interface ForetoldWait {
  readonly kind: 'wait'
  readonly why: string
  /** Key of the question to wait for. */
  readonly key: string
  /** Upstream group that is asked. */
  readonly group: string
  /** The question is not in flight yet. */
  readonly starts: boolean
  /** Set when the client has to wait for another question than its own: the reason. */
  readonly follows: Follows | undefined
  /** An expired answer is given instead when the wait takes too long. */
  readonly hasStale: boolean
}
