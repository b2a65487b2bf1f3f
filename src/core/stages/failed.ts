/** Does not ask again for a question whose resolution has just failed (RFC 9520). */
import { Ede } from '../../wire/constants.ts'
import type { Failure, FailureCache } from '../cache/failure-cache.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { ForetoldReply, Stage } from './stage.ts'

export class FailedStage implements Stage<Failure> {
  readonly name = 'failure'
  private readonly failures: FailureCache

  constructor(failures: FailureCache) {
    this.failures = failures
  }

  judge({ key, nowMs }: Inquiry): Failure | undefined {
    return this.failures.lookup(key.text(), key.nameHash, nowMs)
  }

  commit({ decision }: Inquiry, failure: Failure): true {
    const { rcode, route } = failure
    this.failures.use(failure)
    const source = ReplySource.failureCache
    decision.reply({ image: undefined, rcode, source, ede: Ede.cachedError }, route.zoneIndex)
    return true
  }

  foretell({ nowMs }: Inquiry, { rcode, untilMs }: Failure): ForetoldReply {
    const why = `failed lately, asked again in ${((untilMs - nowMs) / 1000).toFixed(1)} s`
    return { kind: 'reply', why, source: ReplySource.failureCache, rcode, image: undefined }
  }
}
