/** Why a question was sent once more, and what follows from that. Values only. */

/** Why a question was sent. */
export type AttemptKind =
  | 'first'
  | 'hedge' // the first takes longer than usual
  | 'failover' // the first failed, said SERVFAIL or let its time pass
  | 'replay' // its connection died
  | 'overtake' // it waits behind another that is slow
  | 'tcp' // truncated, a closed UDP port, or a sender is guessing at our UDP socket
  | 'detour' // a hedge over TCP, because no datagram comes through
  | 'appeal' // over TCP, because one below in the order denies what this one has not answered
  | 'revival' // the upstream was silent when it was asked, and speaks again
  | 'plain' // without EDNS, after FORMERR or the like
  | 'trial' // our own, to see whether the upstream answers

/** Whether it counts nothing among the packets of its question. */
export function isExtra(kind: AttemptKind): boolean {
  return kind === 'overtake' || kind === 'appeal' || kind === 'revival'
}

/** Whether it is beside what was asked before, which keeps its time. */
export function isBeside(kind: AttemptKind): boolean {
  return kind === 'hedge' || kind === 'replay' || isTcpBeside(kind) || isExtra(kind)
}

/** Whether it goes over TCP beside UDP, which may still bring the answer. */
export function isTcpBeside(kind: AttemptKind): boolean {
  return kind === 'detour' || kind === 'appeal'
}
