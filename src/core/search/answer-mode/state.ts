/** Whether answer mode is on, and what stands in its way: for the mode itself, metrics and people. */

/** Whether answers are given, or what is in the way. */
export const answerStates = [
  'on',
  'cautious', // nobody vouches for the cluster domain: trust is neither verified nor declared
  'unseen', // CoreDNS has not yet shown that it is the one that answers
  'foreign', // it is not CoreDNS that answers for the domain
  'stopped', // a denial of ours was wrong
] as const
export type AnswerState = (typeof answerStates)[number]

/** For people. */
export const stateTexts: Readonly<Record<AnswerState, string>> = {
  on: 'on',
  cautious: 'the trust level is cautious; it needs verified or declared',
  unseen: 'CoreDNS has not denied anything yet',
  foreign: 'it is not CoreDNS that answers for the cluster domain',
  stopped: 'a denial of ours was wrong; it stays off until the configuration changes',
}

/** Until the configuration changes. */
export function isOffForGood(state: AnswerState): boolean {
  return state === 'cautious' || state === 'stopped'
}
