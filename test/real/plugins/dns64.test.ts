/**
 * Goal: DNS64 says what CoreDNS's `dns64` says. Method: stage-differential.ts, each question twice. Not beside `rewrite`: there CoreDNS 1.14.7
 * replies with the question that it has asked, which no client takes.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StageDifferential, type StageQuestion } from '../../support/lab/stage-differential.ts'
import { needing } from '../../support/needs.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/plugins/dns64'), 'coredns')

const upstream = `template IN A www.example both.example back.example {
  answer "{{ .Name }} 3000 IN A 198.51.100.1" "{{ .Name }} 3000 IN A 198.51.100.2"
}
template IN AAAA both.example {
  answer "{{ .Name }} 3000 IN AAAA 2001:db8::1"
}
template IN A alias.example {
  answer "{{ .Name }} 3000 IN CNAME www.example." "www.example. 3000 IN A 198.51.100.1"
}
template IN AAAA alias.example {
  answer "{{ .Name }} 3000 IN CNAME www.example."
  authority "example. 200 IN SOA ns. host. 1 2 3 4 200"
}
template ANY ANY none.example {
  rcode NXDOMAIN
  authority "example. 300 IN SOA ns. host. 1 2 3 4 300"
}
template IN AAAA fail.example {
  rcode SERVFAIL
}
template IN A fail.example {
  answer "{{ .Name }} 3000 IN A 198.51.100.3"
}
template ANY ANY . {
  rcode NOERROR
  authority "example. 400 IN SOA ns. host. 1 2 3 4 400"
}`

const questions: readonly StageQuestion[] = [
  'www',
  'WWW',
  'x.www',
  'both',
  'alias',
  'none',
  'fail',
  'other',
]
  .map((name) => `${name}.example`)
  .flatMap((name): StageQuestion[] => [
    [name, 'AAAA'],
    [name, 'A'],
    [name, 'MX'],
  ])

for (const [corefile, settings] of [
  ['allow_ipv4', 'ipv4Clients: true'],
  [
    'allow_ipv4\ntranslate_all\nprefix 2001:db8:122::/48',
    "ipv4Clients: true, translateAll: true, prefix: '2001:db8:122::/48'",
  ],
  ['prefix 64:ff9b::/96', ''],
] as const) {
  test(corefile.replaceAll('\n', ', '), async () => {
    const lab = await StageDifferential.start({
      upstream,
      corefile: `dns64 {\n${corefile}\n}`,
      settings: `dns64: [{ ${settings} }]\n`,
    })
    try {
      assert.equal(await lab.differences([...questions, ...questions]), [])
    } finally {
      await lab.stop()
    }
  })
}

test.run()
