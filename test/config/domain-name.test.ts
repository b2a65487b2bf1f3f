// Goal: one spelling for each domain name in the settings, and a reason for what is none.
// Method: tables.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDomainName } from '../../src/config/domain-name.ts'

const test = suite('config/domain-name')

test('a name is folded to lower case without the trailing dot', () => {
  assert.equal(parseDomainName('Cluster.LOCAL.'), { ok: true, value: 'cluster.local' })
  assert.equal(parseDomainName('10.in-addr.arpa'), { ok: true, value: '10.in-addr.arpa' })
  assert.equal(parseDomainName('_sip._udp.example'), { ok: true, value: '_sip._udp.example' })
})

test('letters of any language become A-labels, with trailing dots and full stops of any script', () => {
  for (const text of [
    'bücher.example',
    'BÜCHER.EXAMPLE.',
    'bücher。example',
    'xn--bcher-kva.example.',
  ]) {
    assert.equal(parseDomainName(text), { ok: true, value: 'xn--bcher-kva.example' })
  }
})

test('an escape of a character that may stand there is that character', () => {
  assert.equal(parseDomainName('\\095sip.exam\\ple.'), { ok: true, value: '_sip.example' })
})

const refused: [string, string, string | undefined][] = [
  [
    'the empty name',
    '',
    'the root is not a zone here; names without a zone of their own go to external',
  ],
  [
    'the root',
    '.',
    'the root is not a zone here; names without a zone of their own go to external',
  ],
  [
    'a wildcard',
    '*.corp.example',
    '"*.corp.example": a zone includes all names below it; write "corp.example"',
  ],
  [
    'an empty label',
    'corp..example',
    '"corp..example" has an empty label; two dots stand side by side',
  ],
  [
    'a blank',
    'corp example',
    '"corp example" is not a domain name; labels are letters, digits, "-" and "_"',
  ],
  [
    'a label of 64',
    `${'a'.repeat(64)}.example`,
    `the label "${'a'.repeat(64)}" has 64 characters; at most 63`,
  ],
  [
    'an escaped dot, which no zone here can have',
    'a\\.b.example',
    '"a\\\\.b.example" is not a domain name; labels are letters, digits, "-" and "_"',
  ],
  [
    'an escaped byte that no host name has',
    'a\\046b.example',
    '"a\\\\046b.example" is not a domain name; labels are letters, digits, "-" and "_"',
  ],
  [
    'what is no internationalized name',
    'a\u200db.example',
    'the label "a\u200db" is not a label of an internationalized name (UTS 46)',
  ],
  ['a label whose A-label has more than 63', `${'例テ文字한국'.repeat(6)}.example`, undefined],
  ['a name of 254', `${'abcde.'.repeat(42)}ab`, 'the name has 254 characters; at most 253'],
]
for (const [what, text, why] of refused) {
  test(`${what} is refused`, () => {
    const parsed = parseDomainName(text)
    assert.not(parsed.ok)
    if (why === undefined) assert.match(parsed.ok ? '' : parsed.why, 'at most 63')
    else assert.equal(parsed, { ok: false, why })
  })
}

test.run()
