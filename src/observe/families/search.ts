/** Publishes the search path: denials and answers that were given without asking, and their audit. Decides nothing. */

import type { SearchView } from '../stats.ts'
import { type Family, family, single } from './family.ts'

/** Of a process that has never had a search path. */
export const noSearch: SearchView = {
  structure: 0,
  cut: 0,
  shared: 0,
  probes: 0,
  audits: 0,
  mismatches: 0,
  answered: 0,
  fallbacks: {},
  cuts: 0,
  breakersOpen: 0,
  level: 'off',
  fingerprint: 'unseen',
  answerState: undefined,
}

export function searchFamilies(read: () => SearchView): Family[] {
  const counter = (name: string, help: string, value: (view: SearchView) => number) =>
    single('counter', [name, help], () => value(read()))
  return [
    family(
      'counter',
      ['neardns_search_synthesised_total', 'Denials given without asking, by their evidence.'],
      ['evidence'],
      () => {
        const { structure, cut, shared } = read()
        return [
          { labels: { evidence: 'structure' }, value: structure },
          { labels: { evidence: 'cut' }, value: cut },
          { labels: { evidence: 'shared' }, value: shared },
        ]
      },
    ),
    counter(
      'neardns_search_mismatch_total',
      'Denials of ours that CoreDNS did not confirm. Anything but 0 is a defect, or a Corefile that nobody told us of.',
      (view) => view.mismatches,
    ),
    counter(
      'neardns_search_audits_total',
      'Denials of ours that were checked with CoreDNS.',
      (view) => view.audits,
    ),
    counter(
      'neardns_search_probes_total',
      'Questions to learn whether a Service or namespace exists.',
      (view) => view.probes,
    ),
    single(
      'gauge',
      ['neardns_search_cuts', 'Services and namespaces of which something is known.'],
      () => read().cuts,
    ),
    single(
      'gauge',
      ['neardns_search_breakers_open', 'Kinds of denial that are off after a mismatch.'],
      () => read().breakersOpen,
    ),
    ...answerFamilies(read),
    family(
      'gauge',
      ['neardns_search_trust_info', '1 for the trust level in force and whose denials were seen.'],
      ['level', 'fingerprint'],
      () => {
        const { level, fingerprint } = read()
        return [{ labels: { level, fingerprint }, value: 1 }]
      },
    ),
  ]
}

/** Answer mode. Its labelled series exist only since some namespace has used it. */
function answerFamilies(read: () => SearchView): Family[] {
  return [
    single(
      'counter',
      [
        'neardns_search_answered_total',
        'Questions that got the answer of the absolute name in place of a denial (answer mode).',
      ],
      () => read().answered,
    ),
    family(
      'counter',
      [
        'neardns_search_answer_fallbacks_total',
        'Look-ups that answer mode left to the client, by what was in the way.',
      ],
      ['reason'],
      () =>
        Object.entries(read().fallbacks).map(([reason, value]) => ({
          labels: { reason },
          value,
        })),
    ),
    family(
      'gauge',
      [
        'neardns_search_answer_mode_info',
        '1 for the state of answer mode; absent while no namespace has it.',
      ],
      ['state'],
      () => {
        const { answerState: state } = read()
        return state === undefined ? [] : [{ labels: { state }, value: 1 }]
      },
    ),
  ]
}
