/** Refuses to ask an upstream for a client that does not want recursion; such a client gets only what is cached. */
import { Rcode } from '../../wire/constants.ts'
import type { Settlement } from '../decision.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { ForetoldReply, Stage } from './stage.ts'

const refused: Settlement = {
  image: undefined,
  rcode: Rcode.refused,
  source: ReplySource.local,
  ede: -1,
}

export class RecursionStage implements Stage<Settlement> {
  readonly name = 'recursion'

  judge({ question }: Inquiry): Settlement | undefined {
    return question.recursionDesired ? undefined : refused
  }

  commit({ decision }: Inquiry, finding: Settlement): true {
    decision.reply(finding, -1)
    return true
  }

  foretell(_inquiry: Inquiry, finding: Settlement): ForetoldReply {
    return { kind: 'reply', why: 'recursion was not asked for', ...finding }
  }
}
