/** What a TCP connection knows of replies: the way back for one that comes later, and whether one says that there was no query. */
import type { ReplyTo } from '../core/ports.ts'
import { u8 } from '../wire/bytes.ts'
import { Rcode } from '../wire/constants.ts'

export interface Answerer {
  answer(reply: Uint8Array): void
}

/** Way back for one query; only the first reply is sent. */
export class HeldReply implements ReplyTo {
  private session: Answerer | undefined

  constructor(session: Answerer) {
    this.session = session
  }

  send(reply: Uint8Array): void {
    const { session } = this
    this.session = undefined
    session?.answer(reply)
  }
}

/** FORMERR or NOTIMP: random bytes get the one or the other, by the opcode that they happen to have. */
export function isComplaint(reply: Uint8Array): boolean {
  const rcode = u8(reply, 3) & 0x0f
  return rcode === Rcode.formerr || rcode === Rcode.notimp
}
