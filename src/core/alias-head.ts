/** The first part of an answer: what leads to another owner's name. */

/** The part of an answer that its server may give: the aliases up to one that leads to another owner's name. Copies. */
export interface AliasHead {
  /** The name that has to be asked for the rest; folded wire form, one character a byte. */
  readonly leadsTo: string
  readonly image: Buffer
  /** The whole answer, if the rest belongs to the resolvers outside and the server gave data for it. */
  readonly whole: Buffer | undefined
}
