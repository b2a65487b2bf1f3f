/** Publishes the search path: denials and answers that were given without asking, and their audit. Decides nothing. */

import type { SearchView } from '../stats.ts'
import { type Family, family, single } from './family.ts'

/** @param read returns undefined while the search path is off */
export function searchFamilies(read: () => SearchView | undefined): Family[] {
  const counter = (name: string, help: string, value: (view: SearchView) => number) =>
    single('counter', [name, help], () => amount(read(), value))
  return [
    family(
      'counter',
      ['neardns_search_synthesised_total', 'Denials given without asking, by their evidence.'],
      ['evidence'],
      () => [
        { labels: { evidence: 'structure' }, value: amount(read(), (view) => view.structure) },
        { labels: { evidence: 'cut' }, value: amount(read(), (view) => view.cut) },
        { labels: { evidence: 'shared' }, value: amount(read(), (view) => view.shared) },
      ],
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
      () => amount(read(), (view) => view.cuts),
    ),
    single(
      'gauge',
      ['neardns_search_breakers_open', 'Kinds of denial that are off after a mismatch.'],
      () => amount(read(), (view) => view.breakersOpen),
    ),
    ...answerFamilies(read),
    family(
      'gauge',
      ['neardns_search_trust_info', '1 for the trust level in force and whose denials were seen.'],
      ['level', 'fingerprint'],
      () => {
        const view = read()
        if (view === undefined)
          return [{ labels: { level: 'off', fingerprint: 'unseen' }, value: 1 }]
        return [{ labels: { level: view.level, fingerprint: view.fingerprint }, value: 1 }]
      },
    ),
  ]
}

/** Answer mode. Its labelled series exist only while some namespace uses it. */
function answerFamilies(read: () => SearchView | undefined): Family[] {
  return [
    single(
      'counter',
      [
        'neardns_search_answered_total',
        'Questions that got the answer of the absolute name in place of a denial (answer mode).',
      ],
      () => read()?.answers?.answered ?? 0,
    ),
    family(
      'counter',
      [
        'neardns_search_answer_fallbacks_total',
        'Look-ups that answer mode left to the client, by what was in the way.',
      ],
      ['reason'],
      () =>
        Object.entries(read()?.answers?.fallbacks ?? {}).map(([reason, value]) => ({
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
        const state = read()?.answers?.state
        return state === undefined ? [] : [{ labels: { state }, value: 1 }]
      },
    ),
  ]
}

function amount(view: SearchView | undefined, value: (view: SearchView) => number): number {
  return view === undefined ? 0 : value(view)
}
