/** Settings of the search path: what may be denied without asking, and how that is checked. */
import { parseDomainName } from './domain-name.ts'
import { choice, list, onOff, parsed, section, whole } from './setting.ts'

export function searchPathSection() {
  return section('What the search list makes of outside names, answered without asking CoreDNS.', {
    enabled: onOff({
      default: true,
      about: 'Learn from the denials of CoreDNS and answer from them for at most 5 s.',
    }),
    trust: choice({
      of: ['cautious', 'declared'],
      default: 'cautious',
      about:
        'What may be concluded. Cautious: only that a name which CoreDNS denied lately is still absent while what is above it is; declared: nothing but the kubernetes plugin answers in the cluster domain, so shapes that it never has are denied at once.',
    }),
    carveOuts: list({
      of: parsed({ what: 'a domain name', parse: parseDomainName }),
      what: 'domain names',
      max: 256,
      default: [],
      about:
        'Names in the cluster domain that other plugins or zones answer; at and below them everything is asked.',
    }),
    multicluster: onOff({
      default: false,
      about:
        'The cluster domain is also a multicluster zone of CoreDNS (endpoint.cluster.svc names).',
    }),
    auditOneIn: whole({
      default: 1000,
      min: 0,
      max: 1_000_000_000,
      unit: 'denials',
      about: 'One in so many denials of ours is checked with CoreDNS; 0 checks first uses only.',
    }),
    confirmSeconds: whole({
      default: 600,
      min: 5,
      max: 86_400,
      unit: 'seconds',
      about: 'With trust cautious, how long a denial by CoreDNS itself counts for the name.',
    }),
    prefetch: onOff({
      default: true,
      about:
        'Ask for the absolute name while the client still walks its search list, if its end looks like a public domain.',
    }),
  })
}
