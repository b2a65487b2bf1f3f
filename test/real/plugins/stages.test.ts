/**
 * Goal: each stage that has a plugin of CoreDNS for its model says what the plugin says. Method: stage-differential.ts: the same questions to
 * a real CoreDNS and to neardns, each question twice, so that the second finds what the first has left in the cache.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TypeName } from '../../support/client/dns-message.ts'
import { StageDifferential, type StageQuestion } from '../../support/lab/stage-differential.ts'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/plugins/stages'), 'coredns')

/** Fixed TTLs, so that an answer from the cache within a second is the same; a denial with SOA for every other name. */
const upstream = `template IN A www.example mail.example {
  answer "{{ .Name }} 3000 IN A 198.51.100.1"
}
template ANY ANY fail.example {
  rcode SERVFAIL
}
template ANY ANY . {
  rcode NXDOMAIN
  authority ". 3000 IN SOA ns. host. 1 2 3 4 3000"
}`

function product(names: readonly string[], types: readonly TypeName[]): StageQuestion[] {
  return names.flatMap((name) => types.map((type) => [name, type] as const))
}

test('templates', async () => {
  const lab = await StageDifferential.start({
    upstream,
    corefile: `template IN AAAA v4.example {
  rcode NOERROR
}
template ANY AAAA soa.example {
  authority "{{ .Zone }} 60 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. (1 60 60 60 60)"
}
template IN A groups.example sub.groups.example {
  match "^web-(?P<n>[0-9]+)[.]" "^(?P<first>[a-z]+)-(?P<second>[a-z]+)[.]"
  answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"
  additional "ns1.{{ .Zone }} 61 IN A 192.0.2.53"
  authority "{{ .Zone }} 62 IN NS ns1.{{ .Zone }}"
  fallthrough
}
template IN ANY groups.example {
  match "^any[.]"
  answer "{{ .Name }} {{ .Type }} {{ .Class }} 1"
  answer "{{ .Name }} 5 IN TXT \\"{{ .Type }} {{ index .Match 0 }} {{ .Regex }}\\""
}
template IN TXT text.example {
  match "^([a-z]+)-([0-9a-f]+)[.](.*)$"
  answer "{{ .Name }} 7 IN TXT \\"{{ index .Match 1 }}\\" {{ index .Group \\"3\\" }} {{ parseInt (index .Group \\"2\\") 16 32 }} {{ printf \\"%04d|%s\\" 7 .Zone }}"
  answer "{{ if eq .Type \\"TXT\\" }}{{ .Name }} TXT yes{{ else }}bad{{ end }}"
}
template ANY ANY strict.example {
  match "^in[.]"
  answer "{{ .Name }} 60 IN A 192.0.2.1"
}
template IN MX mail.example {
  answer "{{ .Name }} 60 IN MX 10 mx.{{ .Name }}" "{{ .Name }} 60 IN MX 20 mx2.{{ .Name }}"
}
template ANY ANY order.example {
  match "^a[.]"
  rcode REFUSED
  fallthrough in.order.example
}
template ANY ANY order.example {
  rcode NXDOMAIN
}
template IN SRV srv.example {
  answer "{{ .Name }} 60 IN SRV 0 5 80 t.example." "{{ .Name }} 60 IN CAA 0 issue \\"ca\\""
}`,
    settings: `templates:
  - { type: AAAA, zones: [v4.example] }
  - type: AAAA
    class: ANY
    zones: [soa.example]
    authority: ['{{ .Zone }} 60 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. (1 60 60 60 60)']
  - type: A
    zones: [groups.example, sub.groups.example]
    match: ['^web-(?P<n>[0-9]+)[.]', '^(?P<first>[a-z]+)-(?P<second>[a-z]+)[.]']
    answer: ['{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}']
    additional: ['ns1.{{ .Zone }} 61 IN A 192.0.2.53']
    authority: ['{{ .Zone }} 62 IN NS ns1.{{ .Zone }}']
    fallthrough: ['.']
  - type: ANY
    zones: [groups.example]
    match: ['^any[.]']
    answer: ['{{ .Name }} {{ .Type }} {{ .Class }} 1', '{{ .Name }} 5 IN TXT "{{ .Type }} {{ index .Match 0 }} {{ .Regex }}"']
  - type: TXT
    zones: [text.example]
    match: ['^([a-z]+)-([0-9a-f]+)[.](.*)$']
    answer:
      - '{{ .Name }} 7 IN TXT "{{ index .Match 1 }}" {{ index .Group "3" }} {{ parseInt (index .Group "2") 16 32 }} {{ printf "%04d|%s" 7 .Zone }}'
      - '{{ if eq .Type "TXT" }}{{ .Name }} TXT yes{{ else }}bad{{ end }}'
  - { type: ANY, class: ANY, zones: [strict.example], match: ['^in[.]'], answer: ['{{ .Name }} 60 IN A 192.0.2.1'] }
  - type: MX
    zones: [mail.example]
    answer: ['{{ .Name }} 60 IN MX 10 mx.{{ .Name }}', '{{ .Name }} 60 IN MX 20 mx2.{{ .Name }}']
  - { type: ANY, class: ANY, zones: [order.example], match: ['^a[.]'], rcode: REFUSED, fallthrough: [in.order.example] }
  - { type: ANY, class: ANY, zones: [order.example], rcode: NXDOMAIN }
  - { type: SRV, zones: [srv.example], answer: ['{{ .Name }} 60 IN SRV 0 5 80 t.example.', '{{ .Name }} 60 IN CAA 0 issue "ca"'] }
`,
  })
  const questions = [
    ...product(
      ['v4.example', 'www.V4.example', 'xv4.example', 'www.example'],
      ['A', 'AAAA', 'TXT'],
    ),
    ...product(['soa.example', 'a.b.soa.example'], ['AAAA', 'A']),
    ...product(
      ['web-1', 'web-999', 'WEB-7', 'a-b', 'other', 'web-1.sub', 'x.web-1', 'any', 'any.sub'].map(
        (name) => `${name}.groups.example`,
      ),
      ['A', 'TXT', 'MX'],
    ),
    ...product(
      ['ab-ff', 'ab-xx', 'ab-fffffffff', 'no'].map((name) => `${name}.text.example`),
      ['TXT', 'A'],
    ),
    ...product(['in.strict.example', 'out.strict.example', 'strict.example'], ['A', 'TXT']),
    ...product(['mail.example', 'x.mail.example'], ['MX', 'A']),
    ...product(
      ['a.order.example', 'b.order.example', 'a.in.order.example', 'a.x.in.order.example'],
      ['A'],
    ),
    ...product(['x.srv.example'], ['SRV', 'A']),
  ]
  try {
    assert.equal(await lab.differences([...questions, ...questions]), [])
  } finally {
    await lab.stop()
  }
})

test('hosts', async () => {
  const lab = await StageDifferential.start({
    upstream,
    files: {
      hosts:
        '# a comment\n192.0.2.40 nas.lan.example nas\n2001:db8::40 nas.lan.example\n192.0.2.41 Upper.Lan.Example out.example # x\nbad line\n',
    },
    corefile: `hosts DIRECTORY/hosts lan.example wild.example {
  192.0.2.42 inline.lan.example nas.lan.example
  192.0.2.43 *.wild.example
  ttl 60
  reload 1s
  fallthrough in.lan.example
}`,
    settings: `hosts:
  - zones: [lan.example, wild.example]
    file: DIRECTORY/hosts
    entries: ['192.0.2.42 inline.lan.example nas.lan.example', '192.0.2.43 *.wild.example']
    ttlSeconds: 60
    reloadSeconds: 1
    fallthrough: [in.lan.example]
`,
  })
  const questions = [
    ...product(
      ['nas', 'NAS', 'upper', 'inline', 'none', 'x.nas', 'a.in'].map(
        (name) => `${name}.lan.example`,
      ),
      ['A', 'AAAA', 'TXT', 'PTR'],
    ),
    ...product(['lan.example', 'nas', 'out.example', 'www.example'], ['A', 'AAAA']),
    ...product(['a.wild.example', 'wild.example', 'b.a.wild.example'], ['A', 'AAAA', 'MX']),
    ...product(
      [
        '40.2.0.192.in-addr.arpa',
        '41.2.0.192.in-addr.arpa',
        '43.2.0.192.in-addr.arpa',
        '44.2.0.192.in-addr.arpa',
      ],
      ['PTR', 'A'],
    ),
  ]
  try {
    assert.equal(await lab.differences([...questions, ...questions]), [])
    // Both look once a second.
    await writeFile(join(lab.directory, 'hosts'), '192.0.2.50 new.lan.example\n')
    const asked: StageQuestion[] = [['new.lan.example', 'A']]
    const isRead = async () => {
      const [theirs, ours] = await lab.both('new.lan.example', 'A')
      return theirs.includes('192.0.2.50') && ours.includes('192.0.2.50')
    }
    await until('both have read the file', isRead, { timeoutMs: 20_000 })
    assert.equal(await lab.differences([...asked, ['nas.lan.example', 'AAAA']]), [])
  } finally {
    await lab.stop()
  }
})

test.run()
