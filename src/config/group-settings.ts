/**
 * Settings of the groups of upstreams, the cluster's, the one for names outside, and those of stub zones: their addresses, how long their
 * answers may be kept, and what is answered without them. Declares them only: the configuration is read by load.ts.
 */
import type { Upstream } from '../address/upstream-url.ts'
import { parseUpstream } from './address.ts'
import { parseDomainName } from './domain-name.ts'
import { exchangeSection } from './exchange-settings.ts'
import { networkList } from './network-list.ts'
import {
  choice,
  filePath,
  item,
  list,
  onOff,
  parsed,
  requiredList,
  section,
  text,
  whole,
} from './setting.ts'

/** Upstreams of one group: CoreDNS takes 15; with more, each is asked too rarely to know its health. */
const upstreamsMax = 32

const upstreamWhat = 'upstream addresses such as 10.0.0.2:53'

/** @param plain the transport of an address without a scheme */
function upstream(plain: 'udp' | 'tcp') {
  return parsed<Upstream>({
    what: 'an upstream address such as 10.0.0.2:53',
    parse: (text) => parseUpstream(text, plain),
    examples: ['10.0.0.2', '10.0.0.2:5300', 'tcp://10.0.0.2', 'tls://1.1.1.1#one.one.one.one'],
  })
}

function upstreamList(plain: 'udp' | 'tcp', about: string) {
  return list({ of: upstream(plain), what: upstreamWhat, max: upstreamsMax, default: [], about })
}

/** One day: RFC 8767 4 caps any TTL at 7 days, and a cache on one node gains nothing beyond one. */
const ttlSecondsCeiling = 86_400

interface TtlDefaults {
  readonly positiveMaxSeconds: number
  readonly negativeMaxSeconds: number
}

function ttlSection(defaults: TtlDefaults) {
  const seconds = (preset: number, about: string) =>
    whole({ default: preset, min: 0, max: ttlSecondsCeiling, unit: 'seconds', about })
  return section('How long answers of this group may be kept.', {
    keep: onOff({
      default: true,
      about:
        'Keep answers. Off: each question is asked, TTLs are passed on within the limits below, and nothing can be served stale.',
    }),
    positiveMinSeconds: seconds(
      0,
      'Floor for answers with records. Above 0, data is kept longer than its owner allowed.',
    ),
    positiveMaxSeconds: seconds(
      defaults.positiveMaxSeconds,
      'Ceiling for answers with records: the longest that a change can go unnoticed.',
    ),
    negativeMinSeconds: seconds(0, 'Floor for NXDOMAIN and NODATA that came with an SOA record.'),
    negativeMaxSeconds: seconds(
      defaults.negativeMaxSeconds,
      'Ceiling for NXDOMAIN and NODATA: how long a new name may stay invisible (RFC 2308).',
    ),
  })
}

export const domainName = { what: 'a domain name', parse: parseDomainName }

// Shared by all groups: a zod object costs some 10 kB.
const exchange = exchangeSection()
/** RFC 6840 5.8: AD means something only if whoever set it validates, and the way to it is safe. */
const trustAd = onOff({
  default: false,
  about:
    'Pass on the AD bit of these upstreams: only if they validate and the network to them is trusted.',
})

const externalTtl = ttlSection({ positiveMaxSeconds: 30, negativeMaxSeconds: 30 })

export function externalSection() {
  return section('Names that are in neither a zone nor the cluster domain.', {
    upstreams: upstreamList(
      'udp',
      'Resolvers; an address without scheme means UDP, with TCP for truncated replies. Empty: those of resolvConf.',
    ),
    resolvConf: text({
      ...filePath('the path of a resolv.conf'),
      default: '/etc/resolv.conf',
      about: 'File that names the resolvers while upstreams is empty; watched for changes.',
    }),
    resolvConfTransport: choice({
      of: ['udp', 'tcp'],
      default: 'udp',
      about:
        'Transport towards the resolvers of resolvConf. `options use-vc` there means TCP anyway.',
    }),
    withoutUpstreams: choice({
      of: ['resolvConf', 'servfail', 'refused'],
      default: 'resolvConf',
      about:
        'What these names get while upstreams is empty. ResolvConf: the resolvers of that file are asked. Servfail, refused: nobody is asked.',
    }),
    trustAd,
    ttl: externalTtl,
    exchange,
  })
}

export function zoneList() {
  return list({
    of: item('One stub domain.', {
      name: parsed(domainName).meta({ description: 'The zone; all names below it belong to it.' }),
      upstreams: requiredList({
        of: upstream('udp'),
        what: upstreamWhat,
        min: 0,
        max: upstreamsMax,
        about:
          'Resolvers of this zone; an address without scheme means UDP, with TCP for truncated replies. Empty: see withoutUpstreams.',
      }),
      withoutUpstreams: choice({
        of: ['mistake', 'servfail', 'refused'],
        default: 'mistake',
        about:
          'What names of this zone get while upstreams is empty. Mistake: an empty list is refused, as a template without values leaves one.',
      }),
      trustAd,
      ttl: externalTtl,
      exchange,
    }),
    what: 'zones',
    max: 256,
    default: [],
    about: 'Stub domains. The longest matching name wins, even over the cluster domain.',
  })
}

export function clusterSection() {
  return section('Names of the cluster, asked of CoreDNS.', {
    upstreams: upstreamList(
      'tcp',
      'CoreDNS; an address without scheme means TCP, because a lost UDP packet costs a client 5 s, and UDP fills the conntrack table.',
    ),
    withoutUpstreams: choice({
      of: ['nxdomain', 'refused', 'servfail', 'outside'],
      default: 'nxdomain',
      about:
        'What names of the cluster domain get while upstreams is empty. Nxdomain: a denial with a reason (EDE 20), made here. Refused, servfail: that RCODE with the same reason; with musl no name with a search domain resolves then, and glibc skips the rest of its list. Outside: the resolvers outside are asked, who learn the names of your Services.',
    }),
    reverse: onOff({
      default: true,
      about:
        'Send in-addr.arpa and ip6.arpa here too: CoreDNS knows the names of pods and services.',
    }),
    ranges: networkList({
      examples: ['10.96.0.0/12', 'fd00:10:96::/112'],
      max: 4,
      about:
        'Networks of pods and Services. Their reverse names belong to the cluster as its domain does: with reverse off they alone are sent here, and while upstreams is empty they are not asked outside.',
    }),
    ttl: ttlSection({ positiveMaxSeconds: 30, negativeMaxSeconds: 5 }),
    exchange,
  })
}
