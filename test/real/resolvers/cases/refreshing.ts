/** Answers past their TTL: RFC 8767. Used when refreshing fails or takes long, and only then. */
import type { Behaviour } from '../../../upstream/fake-upstream.ts'
import { after, knows, overTcp, refuses, saysWhole } from '../behaviours.ts'
import { ask, become, type Case, die, pause, type Step } from '../case.ts'
import { message } from '../message.ts'
import { data, nodata, nxdomain, off, ttlAtMost, within } from '../properties.ts'

const old = knows(['www.site.example 5 A 192.0.2.1'])
const fresh = knows(['www.site.example 5 A 192.0.2.2'])
/** 5 s is the least that CoreDNS knows. */
const first = ask('www.site.example', 'A', data('192.0.2.1'))

/** The answer is learned, something happens, the answer expires, and then it is asked for. */
function afterExpiry(happens: Step, ...then: readonly Step[]) {
  return {
    upstreams: { only: old },
    serveStale: true,
    steps: [first, happens, pause(6300), ...then],
  }
}

function survives(what: string, behaviour: Behaviour): Case {
  return {
    name: `an expired answer is used when the upstream ${what}`,
    source: 'RFC 8767 5: no answer came that would replace it',
    ...afterExpiry(
      become('only', behaviour),
      ask('www.site.example', 'A', data('192.0.2.1'), off('tc'), within(4900)),
    ),
  }
}

export const refreshing: readonly Case[] = [
  survives('answers REFUSED', refuses(5)),
  survives('answers FORMERR', refuses(1)),
  survives(
    'cuts its answer to nothing and resets TCP',
    overTcp(
      (query) => query.reset(),
      (query) => query.send(message(query, { tc: true })),
    ),
  ),
  survives('sends what is no message', (query) => query.send(Buffer.from([1, 2, 3]))),
  survives(
    'gives a referral',
    saysWhole({ ra: false, authorities: ['site.example 60 NS ns.site.example'] }),
  ),
  {
    name: 'a fresh denial of the type wins over an expired answer',
    source: 'RFC 8767 4: an authoritative answer replaces it',
    ...afterExpiry(
      become('only', knows(['www.site.example 60 TXT x'])),
      ask('www.site.example', 'A', nodata),
    ),
  },
  {
    name: 'a changed address is told after its TTL although the upstream takes 300 ms',
    source: 'RFC 8767 5: 1.8 s before stale data is used; coredns#4309',
    ...afterExpiry(
      become('only', after(300, fresh)),
      ask('www.site.example', 'A', data('192.0.2.2')),
    ),
  },
  {
    name: 'a changed address is told after its TTL although the upstream takes 1.2 s',
    source: 'RFC 8767 5',
    ...afterExpiry(
      become('only', after(1200, fresh)),
      ask('www.site.example', 'A', data('192.0.2.2')),
    ),
  },
  {
    name: 'an expired answer is used when the upstream answers SERVFAIL',
    source: 'RFC 8767 5',
    ...afterExpiry(
      become('only', refuses(2)),
      ask('www.site.example', 'A', data('192.0.2.1'), within(2500)),
    ),
  },
  {
    name: 'an expired answer is used when the upstream is gone',
    source: 'RFC 8767 5',
    ...afterExpiry(die('only'), ask('www.site.example', 'A', data('192.0.2.1'), within(2500))),
  },
  {
    name: 'an expired answer is used when the upstream is silent, within 2.5 s',
    source: 'RFC 8767 5: clients wait 1.8 s at most',
    ...afterExpiry(
      become('only', () => {}),
      ask('www.site.example', 'A', data('192.0.2.1'), within(2500)),
    ),
  },
  {
    name: 'a fresh NXDOMAIN wins over an expired answer',
    source: 'RFC 8767 4: an authoritative answer replaces it',
    ...afterExpiry(become('only', knows([])), ask('www.site.example', 'A', nxdomain)),
  },
  {
    name: 'an expired answer has a TTL of at most 30 s',
    source: 'RFC 8767 4',
    ...afterExpiry(
      become('only', refuses(2)),
      ask('www.site.example', 'A', data('192.0.2.1'), ttlAtMost(30)),
    ),
  },
  {
    name: 'an answer that expired is new again once the upstream is back',
    source: 'RFC 8767 5: resumed within the failure recheck timer',
    upstreams: { only: old },
    serveStale: true,
    steps: [
      first,
      become('only', refuses(2)),
      pause(6300),
      ask('www.site.example', 'A', data('192.0.2.1'), within(2500)),
      become('only', fresh),
      pause(31_000),
      ask('www.site.example', 'A'),
      pause(1000),
      ask('www.site.example', 'A', data('192.0.2.2')),
    ],
    long: true,
  },
]
