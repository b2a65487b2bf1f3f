/** Settings of the search path: what may be denied without asking, and how that is checked. */
import type { Parsed } from './address.ts'
import { parseDomainName } from './domain-name.ts'
import { networkList } from './network-list.ts'
import { choice, item, list, onOff, optionalText, parsed, section, whole } from './setting.ts'

const corefilePath = {
  what: 'the path of a Corefile',
  parse: (path: string) =>
    path === ''
      ? ({ ok: false, why: 'is empty; expected the path of a Corefile' } as const)
      : ({ ok: true, value: path } as const),
}

/** RFC 1123, as Kubernetes requires. */
const namespaceShape = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

function parseNamespace(text: string): Parsed<string> {
  return namespaceShape.test(text)
    ? { ok: true, value: text }
    : {
        ok: false,
        why: `${JSON.stringify(text)} is not a namespace: up to 63 of a-z, 0-9 and "-", with a letter or digit at both ends`,
      }
}

function answerModeSection() {
  return section(
    'Answers the first question of a search list with what its last question would find. Read docs/search-path.md first.',
    {
      namespaces: list({
        of: item('A namespace whose pods all use the search list described here.', {
          name: parsed({ what: 'the name of a namespace', parse: parseNamespace }).meta({
            description: 'Name of the namespace, as Kubernetes knows it.',
          }),
          clients: networkList({
            examples: ['10.244.1.0/24', 'fd00:10:244:1::/64'],
            max: 64,
            about:
              'Networks that contain its pods and no others. Empty: every client that asks for a name in this namespace counts as one of its pods.',
          }),
          searchDomains: list({
            of: parsed({ what: 'a domain name', parse: parseDomainName }),
            what: 'domain names',
            max: 29,
            default: [],
            about:
              "Search domains that follow the three of the cluster in the pods' resolv.conf, in the same order.",
          }),
          ndots: whole({
            default: 5,
            min: 1,
            max: 15,
            unit: 'dots',
            about:
              "The pods' `options ndots`; a name with at least this many dots is first asked as it is.",
          }),
        }),
        what: 'namespaces',
        max: 256,
        default: [],
        about: 'Namespaces whose pods are answered this way.',
      }),
    },
  )
}

export function searchPathSection() {
  return section(
    'Names that a search list makes of outside names, answered without asking CoreDNS.',
    {
      enabled: onOff({
        default: true,
        about: 'Learn from the denials of CoreDNS and answer from them for at most 5 s.',
      }),
      trust: choice({
        of: ['auto', 'cautious', 'declared'],
        default: 'auto',
        about:
          "What neardns may conclude without asking. Auto: verified if the Corefile named below shows that nothing but the kubernetes plugin can answer, else cautious. Cautious: nothing about one name from another; only A's denial holds for the other types. Declared: nothing but the kubernetes plugin answers in the cluster domain, so names of a shape that it never serves are denied at once.",
      }),
      corefile: optionalText({
        ...corefilePath,
        about:
          "CoreDNS's own Corefile, for trust auto; mount the ConfigMap coredns to provide it. Watched for changes. Null: no Corefile is read.",
      }),
      carveOuts: list({
        of: parsed({ what: 'a domain name', parse: parseDomainName }),
        what: 'domain names',
        max: 256,
        default: [],
        about:
          'Names in the cluster domain that other plugins or zones answer; all names at and below them are asked.',
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
        about: 'One in this many of our denials is checked with CoreDNS; 0 checks first uses only.',
      }),
      prefetch: onOff({
        default: true,
        about:
          'Ask for the absolute name while the client is still walking its search list, if the name ends like a public domain.',
      }),
      answerMode: answerModeSection(),
    },
  )
}
