/** Settings of how one group of upstreams is asked. Declares them only: the upstreams are asked by `upstream/`. */
import { parseEdnsOption } from '../wire/edns-option.ts'
import { choice, filePath, list, onOff, optionalText, parsed, section, whole } from './setting.ts'

/** Different questions in flight at once, and so also the most that can wait for one upstream. */
export const questionsMaxDefault = 5000

/** UDP sockets to one upstream, where memory allows. */
export const socketsMaxDefault = 2048

export function exchangeSection() {
  return section('How the upstreams of this group are asked.', {
    policy: choice({
      of: ['auto', 'sequential', 'spread', 'random', 'round_robin'],
      default: 'auto',
      about:
        'Which upstream is asked first. Sequential: an order, as in resolv.conf: the first, as long as it answers anything at all; the next after a failure or the time-out. Spread (shortest expected wait), random and round_robin take the upstreams for equals: a name that only one of them knows is then NXDOMAIN from the others (docs/upstreams.md). Auto: spread in the cluster, else sequential.',
    }),
    deadlineMs: whole({
      default: 4500,
      min: 100,
      max: 60_000,
      unit: 'ms',
      about:
        'Total time for one question, all attempts included; less than the 5 s after which stub resolvers give up.',
    }),
    silenceMs: whole({
      default: 3000,
      min: 50,
      max: 60_000,
      unit: 'ms',
      about:
        'Give up when no question of the group has been answered for this long: a resolver needs up to 2.5 s for a name that it has never resolved. When all upstreams are known to be dead it is 1 s. Outside the cluster domain a sign of life extends this time up to deadlineMs, until six questions in a row go unanswered.',
    }),
    hedge: hedgeSection(),
    timeout: timeoutSection(),
    retryBudgetPercent: whole({
      default: 20,
      min: 0,
      max: 100,
      unit: 'percent',
      about:
        'Hedges and retries per 100 questions, so that they do not overload a struggling upstream; a small burst is always allowed.',
    }),
    attemptsMax: whole({
      default: 4,
      min: 1,
      max: 16,
      unit: 'attempts',
      about: 'How many times one question is sent at most.',
    }),
    failover: onOff({
      default: true,
      about: 'Ask the next upstream after SERVFAIL, REFUSED and the like instead of passing it on.',
    }),
    workaroundSeconds: whole({
      default: 900,
      min: 1,
      max: 86_400,
      unit: 'seconds',
      about:
        'How long an upstream that answers only without EDNS, or only over TCP, is asked so at once; then the usual way is tried again (RFC 6891 6.2.2). A reply to the usual way ends it early.',
    }),
    ednsOptions: ednsOptionList(),
    stream: streamSection(),
    udp: upstreamUdpSection(),
  })
}

function ednsOptionList() {
  return list({
    of: parsed({
      what: 'the code of an EDNS option, and its data in hexadecimal',
      parse: parseEdnsOption,
      examples: ['65518=abcd', '65074'],
    }),
    what: 'EDNS options',
    max: 8,
    default: [],
    about:
      'Options that each question of the group carries, as filtering resolvers want one that names the customer or the site. They are for the upstreams: no reply to a client has them. Options that say who asks (ECS, cookies) have no place here, as equal questions of all clients are asked once.',
  })
}

function streamSection() {
  return section('TCP and TLS connections, per upstream.', {
    connections: whole({
      default: 4,
      min: 1,
      max: 64,
      unit: 'connections',
      about:
        'Connections that take questions, opened as they are needed. CoreDNS answers the questions on one connection one after another. A connection whose question is slow takes no other, and does not count here; while the upstream answers nothing at all, twice as many are tried.',
    }),
    ...slowSettings(),
    queriesPerConnection: whole({
      default: 8,
      min: 1,
      max: 1000,
      unit: 'questions',
      about:
        'Questions in flight on one connection; few, because a slow answer delays all later ones on its connection.',
    }),
    burstPerConnection: whole({
      default: 64,
      min: 1,
      max: 1000,
      unit: 'questions',
      about:
        'The same while answers come within 10 ms of each other: waiting for room would then take longer. Applies only if it is more than queriesPerConnection.',
    }),
    queueMax: whole({
      default: questionsMaxDefault,
      min: 0,
      max: 100_000,
      unit: 'questions',
      about:
        'Questions that wait for room on a connection; beyond it a question fails at once, and one client may have three quarters of them. As many as inFlight.questionsMax: a burst of misses that a fast upstream answers in time should not cause SERVFAIL.',
    }),
    idleMs: whole({
      default: 8000,
      min: 100,
      max: 600_000,
      unit: 'ms',
      about: 'We close an idle connection before the peer does; CoreDNS closes after 10 s.',
    }),
    freshSilentMs: whole({
      default: 2500,
      min: 100,
      max: 600_000,
      unit: 'ms',
      about:
        'The same for a connection that has not carried a question yet; CoreDNS closes those after 3 s.',
    }),
    ageMaxMs: whole({
      default: 60_000,
      min: 1000,
      max: 86_400_000,
      unit: 'ms',
      about:
        'A connection is replaced at this age (with jitter), so that new CoreDNS pods get their share.',
    }),
    connectTimeoutMs: whole({
      default: 1000,
      min: 10,
      max: 30_000,
      unit: 'ms',
      about: 'A connection that is not open after this time counts as a failure of its upstream.',
    }),
    tls: tlsSection(),
  })
}

function tlsSection() {
  const file = (about: string) =>
    optionalText({ ...filePath('the path of a file in PEM'), examples: ['/etc/tls/a.pem'], about })
  return section('Files for upstreams over TLS, read at each new connection.', {
    ca: file(
      'Certificates that may sign those of the upstreams. Null: those that Node trusts, and of NODE_EXTRA_CA_CERTS.',
    ),
    certificate: file(
      'Our own certificate, with its chain, for upstreams that ask for one. Null: none.',
    ),
    key: file('Key of that certificate, without a password.'),
  })
}

function slowSettings() {
  return {
    connectionsMax: whole({
      default: 128,
      min: 1,
      max: 1000,
      unit: 'connections',
      about:
        'Connections in all, those with a slow question included; at least connections. Slow names of one domain may hold half of them, those of one client two thirds, names that are not known to be slow three quarters and six sevenths, and less when others hold some too. What finds none waits for its turn. NodeLocal DNSCache has a connection for each open question.',
    }),
    slowAfterMs: whole({
      default: 5,
      min: 1,
      max: 1000,
      unit: 'ms',
      about:
        'A question that the upstream has worked on for this long is slow: those that wait behind it on its connection are asked another way, and its name is remembered. CoreDNS answers from its own data in less than 1 ms.',
    }),
    slowOverUdp: onOff({
      default: true,
      about:
        'Ask a TCP upstream over UDP for names that are known to be slow, and for questions that wait behind one: CoreDNS works on each datagram by itself, while a slow name takes a whole connection. Where UDP gets no answer, connections of their own are used. Not for TLS.',
    }),
    slowNamesMax: whole({
      default: 1024,
      min: 16,
      max: 65_536,
      unit: 'entries',
      about: 'Names, parent domains and types remembered as slow, five bytes each.',
    }),
  }
}

function hedgeSection() {
  return section(
    'When a question is sent to another upstream as well, while the first attempt is still open.',
    {
      minMs: whole({
        default: 50,
        min: 1,
        max: 10_000,
        unit: 'ms',
        about: 'A hedge is never sent earlier than this: an answer within this time is not late.',
      }),
      maxMs: whole({
        default: 250,
        min: 1,
        max: 10_000,
        unit: 'ms',
        about:
          'A hedge is never sent later than this, which keeps the 99th percentile of misses under 300 ms while one of two upstreams is silent.',
      }),
      percentile: whole({
        default: 95,
        min: 50,
        max: 99,
        unit: 'percent',
        about: 'The wait before a hedge is this percentile of recent answer times.',
      }),
    },
  )
}

function timeoutSection() {
  return section(
    'When an upstream is taken for silent about a question, and the next one is asked as well: three times the hedge percentile of its answer times.',
    {
      minMs: whole({
        default: 500,
        min: 10,
        max: 60_000,
        unit: 'ms',
        about:
          'Never earlier. In an order this is what each question costs about whose name the first upstream is silent.',
      }),
      maxMs: whole({
        default: 1500,
        min: 10,
        max: 60_000,
        unit: 'ms',
        about:
          'Never later, and while fewer than 20 answer times are known. Two such times fit into silenceMs.',
      }),
    },
  )
}

function upstreamUdpSection() {
  return section('UDP towards upstreams.', {
    socketsMax: whole({
      default: socketsMaxDefault,
      min: 1,
      max: 16_384,
      unit: 'sockets',
      about:
        'Sockets open at once, per upstream; each question has its own socket with a random source port (RFC 5452 9.2). One client may have as many as are free, so half of them when it is alone: 300 questions a second for names that take 3 s. A domain gets a third. Each costs 9 kB while it is open: under a memory limit no more are used than fit into an eighth of what it leaves beyond 46 MiB (1194 in 128 MiB, all 2048 from 187 MiB on).',
    }),
    queueMax: whole({
      default: questionsMaxDefault,
      min: 0,
      max: 100_000,
      unit: 'questions',
      about:
        'Questions that wait for a socket, per upstream, within their deadline; clients are served in turn. Beyond it a question fails at once. As many as inFlight.questionsMax.',
    }),
    payloadBytes: whole({
      default: 1232,
      min: 512,
      max: 4096,
      unit: 'bytes',
      about: 'Reply size offered by EDNS; 1232 avoids IP fragments (DNS Flag Day 2020).',
    }),
  })
}
