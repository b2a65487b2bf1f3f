/** Where a server listens, and where it finds its upstreams. */
import { knows } from '../behaviours.ts'
import {
  ask,
  askAtOnce,
  become,
  type Case,
  die,
  manyNames,
  meanwhile,
  pause,
  type Stage,
  writeResolvConf,
} from '../case.ts'
import { data, within } from '../properties.ts'

const records = knows(['*.site.example 60 A 192.0.2.20'])
const others = knows(['*.site.example 60 A 192.0.2.21'])
const noFile = { unbound: 'has no file of upstreams' } as const
const dnsmasqPolls = 'resolv.conf(5); dnsmasq(8), --no-poll'
const line = (stage: Stage, name: string) => `nameserver ${stage.upstream(name).host}\n`

/** Names are asked, and their server dies; then the file changes. */
function movesOn(how: string, from: readonly string[], to: readonly string[]): Case {
  const [before, after] = [from, to].map((names) => names.join(' and '))
  return {
    name: `questions open at a first resolver that falls ${how} are answered when the file changes from ${before} to ${after}`,
    source: 'resolv.conf(5): a stub resolver gives up after 5 s',
    upstreams: { first: records, second: others },
    fromResolvConf: from,
    notFor: noFile,
    steps: [
      ask('one.site.example', 'A', data('192.0.2.20')),
      become('first', () => {}),
      meanwhile(
        [askAtOnce(manyNames('site.example', 30), 'A', data('192.0.2.21'), within(4900))],
        [
          pause(100),
          ...(how === 'gone' ? [die('first')] : []),
          writeResolvConf((stage) => to.map((name) => line(stage, name)).join('')),
        ],
      ),
    ],
  }
}

export const addresses: readonly Case[] = [
  {
    name: 'on 0.0.0.0 a reply comes from the address that was asked',
    source: 'RFC 2181 4.1; unbound#1026, coredns#3097',
    upstreams: { only: records },
    onEveryAddress: true,
    steps: ['127.0.0.1', '127.0.0.2', '127.9.8.7'].map((to) =>
      ask('www.site.example', 'A', data('192.0.2.20'), { to }),
    ),
  },
  {
    name: 'upstreams over IPv6 are asked',
    source: 'RFC 3901 3',
    upstreams: { only: records },
    upstreamHost: '::1',
    steps: [ask('www.site.example', 'A', data('192.0.2.20'))],
  },
  {
    name: 'a file of upstreams is read, and its first line comes first',
    source: 'resolv.conf(5), nameserver',
    upstreams: { first: records, second: others },
    fromResolvConf: ['first', 'second'],
    notFor: noFile,
    steps: [askAtOnce(manyNames('site.example', 10), 'A', data('192.0.2.20'))],
  },
  {
    name: 'a file of upstreams that is empty for a moment leaves the old ones in force',
    source: 'kubeadm#2111',
    upstreams: { first: records },
    fromResolvConf: ['first'],
    notFor: noFile,
    steps: [
      ask('one.site.example', 'A', data('192.0.2.20')),
      writeResolvConf(() => ''),
      pause(1500),
      ask('two.site.example', 'A', data('192.0.2.20')),
      writeResolvConf((stage) => line(stage, 'first')),
      ask('three.site.example', 'A', data('192.0.2.20')),
    ],
  },
  {
    name: 'a file of upstreams with comments only leaves the old ones in force',
    source: 'kubeadm#2111',
    upstreams: { first: records },
    fromResolvConf: ['first'],
    notFor: noFile,
    steps: [
      writeResolvConf(() => '# nothing yet\nsearch site.example\n; nothing\n'),
      pause(1500),
      ask('two.site.example', 'A', data('192.0.2.20')),
    ],
  },
  movesOn('silent', ['first'], ['second']),
  ...['silent', 'gone'].flatMap((how) => [
    movesOn(how, ['first', 'second'], ['second']),
    movesOn(how, ['first', 'second'], ['second', 'first']),
  ]),
  {
    name: 'a change of the file of upstreams is followed within 3 s',
    source: dnsmasqPolls,
    upstreams: { first: records, second: others },
    fromResolvConf: ['first'],
    notFor: noFile,
    steps: [
      ask('one.site.example', 'A', data('192.0.2.20')),
      writeResolvConf((stage) => line(stage, 'second')),
      pause(3000),
      ask('www.site.example', 'A', data('192.0.2.21')),
    ],
  },
]
