/**
 * UDP to an upstream that is asked over TCP: for names that are known to be slow, and for questions that wait behind one. CoreDNS
 * works on each datagram by itself and on the questions of a connection one after another, so that a slow name costs a socket of
 * ours here and a whole connection there. A server or a network without UDP is noticed, and left alone for a while. Decides
 * nothing about retries.
 */
import type { Attempt, ExchangeContext } from '../attempt.ts'
import type { AttemptFailure } from '../counters.ts'
import type { UpstreamAddress, UpstreamUdpSettings } from '../settings.ts'
import { UdpTransport } from '../udp.ts'

/** Questions over UDP without an answer that TCP then answered, and no answer over UDP between them. */
const strikesMax = 3
/** The door is tried again after this time, which doubles with each vain try ... */
const shutMs = 60_000
/** ... up to this. */
const shutMsMax = 3_600_000
/** Both ways were open for this long: a reply that is only a little later proves nothing, and several at once are one accident. */
const unheardAfterMs = 250
/** ... and UDP for nearly as long as the question took over TCP. */
const unheardShare = 0.9
/** Questions sent while nothing at all comes from the server: it may have stalled, and a stalled server loses datagrams. */
const unheardMax = 64

export class SideDoor {
  private readonly udp: UdpTransport
  private shutUntilMs = Number.NEGATIVE_INFINITY
  private shutForMs = shutMs
  private strikes = 0
  private struckMs = Number.NEGATIVE_INFINITY
  private unheard = 0
  /** An answer has come this way since the door was opened. */
  isProven = false

  constructor(target: UpstreamAddress, settings: UpstreamUdpSettings, context: ExchangeContext) {
    this.udp = new UdpTransport(target, settings, context)
  }

  set settings(settings: UpstreamUdpSettings) {
    this.udp.settings = settings
  }

  get load(): number {
    return this.udp.load
  }

  isOpen(nowMs: number): boolean {
    return nowMs >= this.shutUntilMs && this.unheard < unheardMax
  }

  /** @returns why it could not be sent; undefined when it was */
  send(attempt: Attempt): AttemptFailure | undefined {
    attempt.isAside = true
    const failure = this.udp.send(attempt)
    if (failure === undefined) this.unheard++
    else attempt.isAside = false
    return failure
  }

  /** A valid reply came from the server, on whatever way. */
  noteLife(attempt: Attempt, nowMs: number): void {
    this.unheard = 0
    if (!attempt.isAside) {
      for (const sibling of attempt.siblings.all)
        if (sibling.isAside) this.noteUnheard(sibling, attempt, nowMs)
      return
    }
    this.strikes = 0
    this.isProven = true
    this.shutForMs = shutMs
  }

  /** No socket listens there. */
  noteRefusal(nowMs: number): void {
    this.shut(nowMs)
  }

  stop(): void {
    this.udp.stop()
  }

  /** TCP has answered a question that had been sent here before. */
  private noteUnheard(aside: Attempt, heard: Attempt, nowMs: number): void {
    const leastMs = Math.max(unheardAfterMs, unheardShare * (nowMs - heard.sentMs))
    if (aside.isDone || aside.wasDropped || nowMs - aside.sentMs < leastMs) return
    aside.wasDropped = true
    if (nowMs - this.struckMs < unheardAfterMs) return
    this.struckMs = nowMs
    if (++this.strikes >= strikesMax) this.shut(nowMs)
  }

  private shut(nowMs: number): void {
    if (nowMs < this.shutUntilMs) return
    this.shutUntilMs = nowMs + this.shutForMs
    this.shutForMs = Math.min(shutMsMax, 2 * this.shutForMs)
    this.strikes = 0
    this.isProven = false
  }
}
