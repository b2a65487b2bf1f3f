/**
 * Goal: rewrites do what CoreDNS's `rewrite` does. Method: stage-differential.ts: the same questions to a real CoreDNS and to neardns, in odd
 * letter case too, and each twice, so that the second finds what the first has left in the cache.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TypeName } from '../../support/client/dns-message.ts'
import { StageDifferential, type StageQuestion } from '../../support/lab/stage-differential.ts'
import { needing } from '../../support/needs.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/plugins/rewrites'), 'coredns')

/** Names and data are the asked ones, so that an answer shows what was asked. Fixed TTLs: an answer from the cache within a second is the same. */
const upstream = `template ANY ANY fail.back fail.example fail.rcode.example {
  rcode SERVFAIL
}
template ANY ANY refused.rcode.example {
  rcode REFUSED
}
template IN A back consul ttl.example rcode.example mixed.example sub.example www.example {
  match "^none[.]"
  rcode NXDOMAIN
  authority "{{ .Zone }} 3000 IN SOA ns.{{ .Zone }} host.{{ .Zone }} 1 2 3 4 3000"
  fallthrough
}
template IN A back consul ttl.example rcode.example mixed.example sub.example www.example {
  match "^alias[.]"
  answer "{{ .Name }} 3000 IN CNAME real.{{ .Name }}" "real.{{ .Name }} 3000 IN A 198.51.100.9"
  fallthrough
}
template IN A back consul ttl.example rcode.example mixed.example sub.example www.example {
  answer "{{ .Name }} 3000 IN A 198.51.100.1" "{{ .Name }} 3000 IN A 198.51.100.2"
}
template IN SRV back consul {
  answer "{{ .Name }} 2900 IN SRV 0 5 80 node.{{ .Name }}" "{{ .Name }} 2900 IN SRV 0 5 81 node.service.dc.consul."
}
template IN MX back consul {
  answer "{{ .Name }} 2800 IN MX 10 mx.{{ .Name }}"
}
template IN PTR arpa {
  answer "{{ .Name }} 2700 IN PTR ftp-us.service.consul."
}
template IN HINFO types.example {
  answer "{{ .Name }} 2600 IN HINFO \\"cpu\\" \\"os\\""
}
template IN AAAA types.example {
  answer "{{ .Name }} 2600 IN AAAA 2001:db8::1"
}
template IN TXT class.example {
  answer "{{ .Name }} 2600 IN TXT \\"in class IN\\""
}
template ANY ANY . {
  rcode NXDOMAIN
  authority ". 3000 IN SOA ns. host. 1 2 3 4 3000"
}`

function product(names: readonly string[], types: readonly TypeName[]): StageQuestion[] {
  return names.flatMap((name) => types.map((type) => [name, type] as const))
}

async function compare(
  { rules, settings }: { readonly rules: string; readonly settings: string },
  questions: readonly StageQuestion[],
): Promise<void> {
  const lab = await StageDifferential.start({
    upstream,
    corefile: `${rules}\ncache 3600 {\nsuccess 9984 86400 0\ndenial 9984 86400 0\n}`,
    settings: `rewrites:\n${settings}`,
  })
  try {
    assert.equal(await lab.differences([...questions, ...questions]), [])
  } finally {
    await lab.stop()
  }
}

const hosts = ['www', 'WwW', 'none', 'alias', 'a.b']

test('names in five ways, with and without their answers given back', () =>
  compare(
    {
      rules: `rewrite name exact.front exact.back
rewrite name exact Alias.Front alias.back
rewrite name prefix pre. done. answer auto
rewrite name prefix bare.pre two.done
rewrite name suffix .suf.front .suf.back answer auto
rewrite name suffix .plain.front .plain.back
rewrite name substring .sub.example .swap.back. answer auto
rewrite name regex ^(.*)-(us-west)\\.front\\.$ {1}.service.{2}.consul answer auto
rewrite name regex (.*)\\.named\\.front {1}.service.consul answer name (.*)\\.service\\.consul {1}.named.front
rewrite name regex (.*)\\.valued\\.front {1}.service.consul answer name (.*)\\.service\\.consul {1}.valued.front answer value (.*)\\.service\\.(.*)consul {1}.{2}valued.front value nothing here.
rewrite stop {
  name suffix .arpa .arpa
  answer auto
  answer value (.*)\\.service\\.consul\\. {1}.rocks.example.
}
rewrite name suffix .fail.front .fail.back answer auto
rewrite name regex (.*)\\.bad\\.front {1}..back answer auto`,
      settings: `  - { from: exact.front, to: exact.back }
  - { from: Alias.Front., to: alias.back. }
  - { match: prefix, from: 'pre.', to: 'done.', answer: [auto] }
  - { match: prefix, from: 'bare.pre.', to: 'two.done.' }
  - { match: suffix, from: .suf.front, to: .suf.back, answer: [auto] }
  - { match: suffix, from: .plain.front, to: .plain.back }
  - { match: substring, from: '.sub.example.', to: '.swap.back.', answer: [auto] }
  - { match: regex, from: '^(.*)-(us-west)\\.front\\.$', to: '{1}.service.{2}.consul', answer: [auto] }
  - { match: regex, from: '(.*)\\.named\\.front', to: '{1}.service.consul', answer: ['name (.*)\\.service\\.consul {1}.named.front'] }
  - match: regex
    from: '(.*)\\.valued\\.front'
    to: '{1}.service.consul'
    answer: ['name (.*)\\.service\\.consul {1}.valued.front', 'value (.*)\\.service\\.(.*)consul {1}.{2}valued.front', 'value nothing here.']
  - { match: suffix, from: .arpa, to: .arpa, answer: [auto, 'value (.*)\\.service\\.consul\\. {1}.rocks.example.'] }
  - { match: suffix, from: .fail.front, to: .fail.back, answer: [auto] }
  - { match: regex, from: '(.*)\\.bad\\.front', to: '{1}..back', answer: [auto] }
`,
    },
    [
      ...product(['exact.front', 'EXACT.Front', 'x.exact.front', 'exact.back'], ['A', 'SRV', 'MX']),
      ...product(['alias.front', 'ALIAS.front'], ['A', 'TXT']),
      ...product(['pre.www.example', 'PRE.x.back', 'xpre.back', 'bare.pre.back'], ['A', 'SRV']),
      ...product(
        hosts.flatMap((host) => [
          `${host}.suf.front`,
          `${host}.plain.front`,
          `${host}.sub.example`,
          `${host}-us-west.front`,
          `${host}.named.front`,
          `${host}.valued.front`,
          `${host}.fail.front`,
          `${host}.bad.front`,
        ]),
        ['A', 'AAAA', 'SRV', 'MX'],
      ),
      ...product(['suf.front', 'xsuf.front', 'other.front', 'www.example'], ['A', 'TXT']),
      ...product(['30.2.0.192.in-addr.arpa', '30.2.0.192.IN-ADDR.arpa'], ['PTR', 'A']),
    ],
  ))

test('rules that continue see what earlier ones have made, and their answers are undone in reverse', () =>
  compare(
    {
      rules: `rewrite continue name suffix .one.front .two.front answer auto
rewrite continue ttl suffix .two.front 77
rewrite name suffix .two.front .three.back answer auto
rewrite continue name regex ^(.*)\\.loop\\.front\\.$ {1}.loop2.front answer auto
rewrite continue name exact www.loop2.front www.back
rewrite continue type A AAAA
rewrite name suffix .types.front .types.example answer auto
rewrite type AAAA A`,
      settings: `  - { match: suffix, from: .one.front, to: .two.front, answer: [auto], mode: continue }
  - { match: suffix, from: .two.front, ttl: '77', mode: continue }
  - { match: suffix, from: .two.front, to: .three.back, answer: [auto] }
  - { match: regex, from: '^(.*)\\.loop\\.front\\.$', to: '{1}.loop2.front', answer: [auto], mode: continue }
  - { from: www.loop2.front, to: www.back, mode: continue }
  - { type: A AAAA, mode: continue }
  - { match: suffix, from: .types.front, to: .types.example, answer: [auto] }
  - { type: AAAA A }
`,
    },
    product(
      hosts.flatMap((host) => [
        `${host}.one.front`,
        `${host}.two.front`,
        `${host}.loop.front`,
        `${host}.loop2.front`,
        `${host}.types.front`,
        `${host}.back`,
      ]),
      ['A', 'AAAA', 'SRV', 'HINFO'],
    ),
  ))

test('TTLs and RCODEs of answers', () =>
  compare(
    {
      rules: `rewrite ttl exact.ttl.example 30
rewrite ttl exact www.ttl.example. 60-120
rewrite ttl prefix alias. 5000-
rewrite ttl suffix .low.ttl.example -30
rewrite ttl substring .mid.ttl 2500-2900
rewrite ttl regex ^re[0-9]+\\..*ttl\\.example\\.$ 0
rewrite rcode fail.rcode.example SERVFAIL NOERROR
rewrite rcode suffix .fail.rcode.example 2 3
rewrite rcode regex ^(.*\\.)?refused\\.rcode\\. REFUSED SERVFAIL
rewrite continue rcode suffix .rcode.example NXDOMAIN NOERROR
rewrite continue rcode substring none. NOERROR YXDOMAIN
rewrite rcode prefix none. NXDOMAIN REFUSED`,
      settings: `  - { from: exact.ttl.example, ttl: '30' }
  - { from: www.ttl.example., ttl: 60-120 }
  - { match: prefix, from: 'alias.', ttl: 5000- }
  - { match: suffix, from: .low.ttl.example, ttl: '-30' }
  - { match: substring, from: '.mid.ttl.', ttl: 2500-2900 }
  - { match: regex, from: '^re[0-9]+\\..*ttl\\.example\\.$', ttl: '0' }
  - { from: fail.rcode.example, rcode: SERVFAIL NOERROR }
  - { match: suffix, from: .fail.rcode.example, rcode: SERVFAIL NXDOMAIN }
  - { match: regex, from: '^(.*\\.)?refused\\.rcode\\.', rcode: REFUSED SERVFAIL }
  - { match: suffix, from: .rcode.example, rcode: NXDOMAIN NOERROR, mode: continue }
  - { match: substring, from: 'none.', rcode: NOERROR YXDOMAIN, mode: continue }
  - { match: prefix, from: 'none.', rcode: NXDOMAIN REFUSED }
`,
    },
    [
      ...product(
        ['exact', 'www', 'alias', 'none', 'x.low', 'none.low', 'a.mid', 're1', 're2.x', 'rex'].map(
          (name) => `${name}.ttl.example`,
        ),
        ['A', 'TXT'],
      ),
      ...product(
        ['www', 'none', 'fail', 'x.fail', 'refused', 'a.refused', 'none.sub'].map(
          (name) => `${name}.rcode.example`,
        ),
        ['A', 'TXT'],
      ),
      ...product(['none.example', 'none.x.back', 'alias.back', 'www.example'], ['A', 'MX']),
    ],
  ))

test.run()
