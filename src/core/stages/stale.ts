/** Gives the stale answer at once after asking has brought nothing better, instead of asking again (RFC 8767 5). */
import type { CacheEntry } from '../cache/entry.ts'
import { keptText } from '../cache/entry-text.ts'
import { ReplySource } from '../facts.ts'
import type { Inquiry } from '../inquiry.ts'
import type { Settler } from '../settlement.ts'
import type { ForetoldReply, Stage } from './stage.ts'

export class StaleStage implements Stage<CacheEntry> {
  readonly name = 'stale'
  private readonly settler: Settler

  constructor(settler: Settler) {
    this.settler = settler
  }

  judge({ entry, nowMs }: Inquiry): CacheEntry | undefined {
    if (entry === undefined || nowMs >= entry.recheckAtMs) return undefined
    return entry.isUsableStale(nowMs) ? entry : undefined
  }

  commit({ decision }: Inquiry, entry: CacheEntry): true {
    decision.reply(this.settler.stale(entry), entry.route.zoneIndex)
    return true
  }

  foretell(_inquiry: Inquiry, entry: CacheEntry): ForetoldReply {
    const why = `${keptText(entry)}, expired: asking has just brought nothing better`
    const { rcode } = entry
    return { kind: 'reply', why, source: ReplySource.stale, rcode, image: entry.image() }
  }
}
