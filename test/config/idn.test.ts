// Goal: names in the letters of any language become what the wire has, and nothing becomes a name that was none.
// Method: tables; Node's own conversion as the oracle; random texts.
import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { asciiName } from '../../src/config/idn.ts'

const test = suite('config/idn')

const names: [string, string][] = [
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.Example.', 'xn--bcher-kva.Example.'],
  // Decomposed: u and a combining diaeresis.
  ['bu\u0308cher.example', 'xn--bcher-kva.example'],
  // Nontransitional: IDNA 2003 made this "fass".
  ['faß.example', 'xn--fa-hia.example'],
  ['_sip._udp.bücher.example', '_sip._udp.xn--bcher-kva.example'],
  ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
  ['１.２.例え', '1.2.xn--r8jz45g'],
  ['日本語．jp｡', 'xn--wgv71a119e.jp.'],
  ['a\\.b.bücher.example', 'a\\.b.xn--bcher-kva.example'],
  ['😀.example', 'xn--e28h.example'],
]
for (const [text, ascii] of names) {
  test(`${text} is ${ascii}`, () => {
    assert.equal(asciiName(text), { ok: true, value: ascii })
  })
}

const refused: [string, string][] = [
  ['a\u200db.example', 'the label "a\u200db" is not a label of an internationalized name (UTS 46)'],
  ['\u00ad.example', 'the label "\u00ad" is not a label of an internationalized name (UTS 46)'],
  ['ü/x.example', 'the label "ü/x" is not a label of an internationalized name (UTS 46)'],
  ['user@ü.example', 'the label "user@ü" is not a label of an internationalized name (UTS 46)'],
  ['ü:53.example', 'the label "ü:53" is not a label of an internationalized name (UTS 46)'],
  ['%41ü.example', 'the label "%41ü" is not a label of an internationalized name (UTS 46)'],
  ['a／ü.example', 'the label "a／ü" is not a label of an internationalized name (UTS 46)'],
  ['xn--ü.example', 'the label "xn--ü" is not a label of an internationalized name (UTS 46)'],
  [
    'b\\252cher-ü.example',
    'the label "b\\\\252cher-ü" mixes escapes with letters outside ASCII; write its A-label (xn--...)',
  ],
]
for (const [text, why] of refused) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.equal(asciiName(text), { ok: false, why })
  })
}

test('ASCII comes back untouched, whatever it is', () => {
  const ascii = fc.string({ unit: 'binary-ascii' })
  fc.assert(fc.property(ascii, (text) => assert.equal(asciiName(text), { ok: true, value: text })))
})

test('letters become what node:url makes of them', () => {
  const letters = fc.constantFrom(...'äöüßéñåøæœłčşğıіїґαβγאבجدहि例えテスト中文字한국ไทย')
  const label = fc.array(letters, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(label, (text) => {
      const expected = domainToASCII(`${text}.example`)
      const parsed = asciiName(`${text}.example`)
      assert.is(parsed.ok ? parsed.value : '', expected)
    }),
    { numRuns: 1000 },
  )
})

test('no text makes it throw, and what it accepts is ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const parsed = asciiName(text)
      assert.ok(parsed.ok ? /^[^\u0080-\uffff]*$/.test(parsed.value) : parsed.why.length > 10)
    }),
    { numRuns: 2000 },
  )
})

test.run()
