/** Whether answer mode is on, and otherwise why not: for the mode itself, metrics and people. */

/** Whether answers are given, or the reason why not. */
export const answerStates = [
  'on',
  'cautious', // trust is neither verified nor declared
  'unseen', // no denial has shown yet that CoreDNS answers for the domain
  'foreign', // another server than CoreDNS answers for the domain
  'stopped', // one of our denials was wrong
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

/** Whether the mode stays off until the configuration changes. */
export function isOffForGood(state: AnswerState): boolean {
  return state === 'cautious' || state === 'stopped'
}
