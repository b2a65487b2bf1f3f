/** What rules have to do to an answer, done to one reply. */
import { ReplySource } from '../../core/facts.ts'
import type { Reply, Revision } from '../../core/reply.ts'
import { Ede, Rcode } from '../../wire/constants.ts'
import { type ImageEdits, type Rename, reviseImage } from '../../wire/revise.ts'
import { nameOctets, nameText } from '../name-text.ts'
import type { NameChange } from './name-change.ts'
import type { AnswerChanges } from './rule.ts'

const failed: Reply = {
  image: undefined,
  rcode: Rcode.servfail,
  source: ReplySource.failed,
  ede: Ede.other,
}

/** Belongs to one client's question. */
export class RuleRevision implements Revision {
  private readonly question: Uint8Array
  private readonly edits: ImageEdits
  private readonly rcode: (code: number) => number

  /**
   * @param question section of the client's query; kept
   * @param changes of the rules that were for the question, in their order: what the last one did is undone first
   */
  constructor(question: Uint8Array, changes: readonly AnswerChanges[]) {
    const undone = changes.toReversed()
    this.question = question
    this.rcode = (rcode) => undone.reduce((code, one) => swapped(code, one), rcode)
    this.edits = {
      owner: renaming(undone.flatMap(({ owners }) => owners)),
      value: renaming(undone.flatMap(({ values }) => values)),
      ttl: (seconds) => undone.reduce((ttl, one) => within(ttl, one), seconds),
      rcode: this.rcode,
    }
  }

  revise(reply: Reply): Reply {
    const { source, ede, edeText } = reply
    const rcode = this.rcode(reply.rcode)
    const message = messageOf(reply)
    if (message === undefined) return { image: undefined, rcode, source, ede, edeText }
    const image = reviseImage(message, this.question, this.edits)
    return image === undefined ? failed : { image, rcode, source, ede, edeText }
  }
}

/** The whole message, if there is one. */
export function messageOf({ stored, image }: Reply): Buffer | undefined {
  if (stored === undefined) return image
  const { memory, imageAt, imageBytes } = stored
  return memory.subarray(imageAt, imageAt + imageBytes)
}

function renaming(changes: readonly NameChange[]): Rename {
  if (changes.length === 0) return (name) => name
  return (name) => {
    const before = nameText(name)
    const after = changes.reduce((text, change) => change(text) ?? text, before)
    return after === before ? name : nameOctets(after)
  }
}

function within(seconds: number, { ttl }: AnswerChanges): number {
  return ttl === null ? seconds : Math.min(Math.max(seconds, ttl.min), ttl.max)
}

function swapped(code: number, { rcode }: AnswerChanges): number {
  return rcode?.from === code ? rcode.to : code
}
