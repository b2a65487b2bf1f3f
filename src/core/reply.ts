/** What a client gets, and what is done to it when its question was rewritten. Values only. */
import type { Question } from '../wire/question.ts'
import type { StoredImage } from '../wire/reply.ts'
import type { ReplySource } from './facts.ts'

/** What a client gets. Copy it before the cache is used again. */
export interface Reply {
  /** The message, when it is in the cache. */
  readonly stored?: StoredImage | undefined
  /** The message, when it is not `stored`; also undefined for a reply without records. */
  readonly image: Buffer | undefined
  readonly rcode: number
  readonly source: ReplySource
  /** RFC 8914 code, or -1. */
  readonly ede: number
  /** EXTRA-TEXT in place of the one that the code has here. */
  readonly edeText?: Buffer | undefined
  /** Name of the upstream that gave it, for people. */
  readonly upstream?: string
}

/** Changes the reply to the question that was asked in place of the client's into one to the client's own. */
export interface Revision {
  /** @returns a reply that does not depend on the cache */
  revise(reply: Reply): Reply
  /** @returns what has to be asked first because of this reply; undefined: `revise` makes what the client gets */
  another?(reply: Reply): Another | undefined
}

/** A second question for one client. */
export interface Another {
  /** Header and question; nobody else's. */
  readonly query: Buffer
  readonly question: Question
  /** What is done to its reply, after what rules do to it. Asks for nothing more. */
  readonly revision: Pick<Revision, 'revise'>
}

/** Both, one after the other. */
export function inTurn(
  first: Revision | undefined,
  second: Pick<Revision, 'revise'>,
): Pick<Revision, 'revise'> {
  return { revise: (reply) => second.revise(first?.revise(reply) ?? reply) }
}
