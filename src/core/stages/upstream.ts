/** The last stage: asks the upstreams of the name's route. */
import { Ede, Rcode } from '../../wire/constants.ts'
import type { Settlement } from '../decision.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { InFlight } from '../question/in-flight.ts'
import type { OwnQuestions } from '../question/own-questions.ts'
import type { Route, Router } from '../router.ts'
import type { Settler } from '../settlement.ts'
import type { Foretold, Stage } from './stage.ts'

export interface UpstreamStageParts {
  readonly inFlight: InFlight
  readonly own: OwnQuestions
  readonly router: Router
  readonly settler: Settler
}

/** What names get that nobody is asked about. */
const refused: Settlement = {
  image: undefined,
  rcode: Rcode.refused,
  source: ReplySource.local,
  ede: Ede.notAuthoritative,
}

export class UpstreamStage implements Stage<Route> {
  readonly name = 'upstream'
  private readonly parts: UpstreamStageParts

  constructor(parts: UpstreamStageParts) {
    this.parts = parts
  }

  judge({ key }: Inquiry): Route {
    return this.parts.router.route(key.name, key.nameBytes)
  }

  commit(inquiry: Inquiry, route: Route): true {
    const { own, settler } = this.parts
    const { decision, entry, nowMs } = inquiry
    if (route.isRefused === true) {
      decision.reply(refused, route.zoneIndex)
      return true
    }
    const ticket = own.open(inquiry, route)
    if (ticket === undefined) decision.reply(settler.overloaded(entry, nowMs), route.zoneIndex)
    else decision.wait(ticket, true, inquiry.hasStale)
    return true
  }

  foretell({ entry, key, nowMs }: Inquiry, { group, isRefused }: Route): Foretold {
    if (isRefused === true) return { kind: 'reply', why: 'nobody is asked about it', ...refused }
    const hasStale = entry?.isUsableStale(nowMs) === true
    if (this.parts.inFlight.hasRoom()) {
      const why = `asked of ${group}`
      return {
        kind: 'wait',
        why,
        key: key.text(),
        group,
        starts: true,
        follows: undefined,
        hasStale,
      }
    }
    const why = 'too many questions are in flight'
    if (!hasStale) {
      const source = ReplySource.overloaded
      return { kind: 'reply', why, source, rcode: Rcode.servfail, image: undefined }
    }
    const { rcode } = entry
    return { kind: 'reply', why, source: ReplySource.stale, rcode, image: entry.image() }
  }
}
