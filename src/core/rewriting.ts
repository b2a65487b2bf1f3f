/**
 * Questions that are asked as other ones, by rules of the operator. This happens before the cache is looked at, which so holds the answer to
 * the question that was asked, for all whose questions are rewritten to it; each client's reply is made from it.
 */
import type { Question } from '../wire/question.ts'
import type { Inquiry } from './inquiry.ts'
import type { Revision } from './reply.ts'

/** - asked: another question takes the place. - same: the question stays, its reply is changed. - nameless: a rule makes what is no name. */
export type Rewritten =
  | {
      readonly kind: 'asked'
      /** Header and question; nobody else's. */
      readonly query: Buffer
      readonly question: Question
      readonly revision: Revision
    }
  | { readonly kind: 'same'; readonly revision: Revision }
  | { readonly kind: 'nameless' }

export interface Rewriting {
  /** Changes nothing. @returns undefined when no rule is for the question */
  of(inquiry: Inquiry): Rewritten | undefined
  /** Counts a question that `of` had something for. */
  count(rewritten: Rewritten): void
}
