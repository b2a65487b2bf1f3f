/** Settings of the search path: what may be denied without asking, and how that is checked. */
import { parseDomainName } from './domain-name.ts'
import { choice, list, onOff, optionalText, parsed, section, whole } from './setting.ts'

const corefilePath = {
  what: 'the path of a Corefile',
  parse: (path: string) =>
    path === ''
      ? ({ ok: false, why: 'is empty; expected the path of a Corefile' } as const)
      : ({ ok: true, value: path } as const),
}

export function searchPathSection() {
  return section('What the search list makes of outside names, answered without asking CoreDNS.', {
    enabled: onOff({
      default: true,
      about: 'Learn from the denials of CoreDNS and answer from them for at most 5 s.',
    }),
    trust: choice({
      of: ['auto', 'cautious', 'declared'],
      default: 'auto',
      about:
        'What may be concluded. Auto: verified if the Corefile named below shows that nothing but the kubernetes plugin can answer, else cautious. Cautious: only that a name which CoreDNS denied lately is still absent while what is above it is; declared: nothing but the kubernetes plugin answers in the cluster domain, so shapes that it never has are denied at once.',
    }),
    corefile: optionalText({
      ...corefilePath,
      about:
        "CoreDNS's own Corefile, for trust auto; mount the ConfigMap coredns for that. Watched. Null: there is none to read.",
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
