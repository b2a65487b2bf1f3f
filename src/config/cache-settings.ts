/** Settings of the cache: size, refresh before expiry, use after expiry, memory of failures. */
import { onOff, section, whole } from './setting.ts'

/** Fits into a memory limit of 128 MiB. */
export const cacheBytesDefault = 33_554_432

export function cacheSection() {
  return section('Answers kept in memory.', {
    entriesMax: whole({
      default: 50_000,
      min: 1,
      max: 10_000_000,
      unit: 'entries',
      about: 'Questions whose answers are kept; the least recently used are evicted first.',
    }),
    bytesMax: whole({
      default: cacheBytesDefault,
      min: 65_536,
      max: 17_179_869_184,
      unit: 'bytes',
      about:
        'Total memory for entries by our own accounting, so that random names cannot fill the cgroup.',
    }),
    denialPercent: whole({
      default: 40,
      min: 10,
      max: 100,
      unit: 'percent',
      about:
        'Share of bytesMax that NXDOMAIN and NODATA may take, so that a flood of names that do not exist does not evict other answers.',
    }),
    noSoaSeconds: whole({
      default: 5,
      min: 0,
      max: 60,
      unit: 'seconds',
      about:
        'How long NODATA and NXDOMAIN without an SOA are kept, 0 for not at all. RFC 2308 5 advises against keeping them; but templates that switch AAAA off answer so, and each look-up would go upstream.',
    }),
    rotate: onOff({
      default: true,
      about:
        'Each reply has the A or AAAA records of a set in another order, aliases first, so that clients which take the first address spread over all of them.',
    }),
    prefetch: prefetchSection(),
    serveStale: serveStaleSection(),
    failureTtl: section('How long a failed resolution is remembered (RFC 9520).', {
      minSeconds: whole({
        default: 1,
        min: 1,
        max: 300,
        unit: 'seconds',
        about: 'How long a first failure counts; RFC 9520 3.2 asks for at least 1 s.',
      }),
      maxSeconds: whole({
        default: 5,
        min: 1,
        max: 300,
        unit: 'seconds',
        about: 'How long repeated failures count at most; RFC 9520 3.2 allows 5 minutes.',
      }),
    }),
  })
}

function prefetchSection() {
  return section('Names in use are asked for again before their answers expire.', {
    hitsMin: whole({
      default: 2,
      min: 0,
      max: 1_000_000,
      unit: 'hits',
      about: 'Hits after which an answer is refreshed; 0 turns prefetching off.',
    }),
    remainingPercent: whole({
      default: 10,
      min: 1,
      max: 90,
      unit: 'percent',
      about: 'Share of its lifetime that an answer has left when its question is asked again.',
    }),
  })
}

function serveStaleSection() {
  return section('Use of expired answers while upstreams fail (RFC 8767).', {
    enabled: onOff({ default: true, about: 'Answer from expired data rather than not at all.' }),
    overDenials: onOff({
      default: false,
      about:
        'Outside the cluster domain, go on with expired data while upstreams say NXDOMAIN or NODATA, until stalenessMaxSeconds: for outages that end in empty answers. A name that was really deleted then lives on for as long.',
    }),
    stalenessMaxSeconds: whole({
      default: 3600,
      min: 1,
      max: 604_800,
      unit: 'seconds',
      about:
        'How long after expiry an answer is still given; RFC 8767 5 suggests 1 to 3 days, but addresses in a cluster move sooner.',
    }),
    clientTimeoutMs: whole({
      default: 1800,
      min: 0,
      max: 10_000,
      unit: 'ms',
      about:
        'How long upstreams are given before the client gets the stale answer (RFC 8767 5): a resolver that has to ask others may need that long for a new address.',
    }),
    clusterClientTimeoutMs: whole({
      default: 200,
      min: 0,
      max: 10_000,
      unit: 'ms',
      about:
        'The same for names of the cluster domain, which CoreDNS knows itself and answers in milliseconds; not for aliases (ExternalName), whose target it has to ask for, nor for NODATA.',
    }),
    replyTtlSeconds: whole({
      default: 30,
      min: 0,
      max: 3600,
      unit: 'seconds',
      about:
        'TTL of a stale answer; RFC 8767 4 recommends 30. A stale denial gets no more than it was kept for while it was fresh.',
    }),
    failureRecheckSeconds: whole({
      default: 5,
      min: 1,
      max: 300,
      unit: 'seconds',
      about:
        'Pause before upstreams are asked again after a failure; meanwhile stale answers are given at once.',
    }),
  })
}
