/** Goal: Go's template texts give what Go gives. Method: a table of texts, results taken from Go's text/template by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseTemplate } from '../../../src/local/go-template/template.ts'

const test = suite('local/go-template/template')

const fields = new Set(['Name', 'Zone', 'Group', 'Match', 'Type'])
const data = {
  Name: 'a.example.',
  Zone: 'example.',
  Group: { n: '7', '1': '7' },
  Match: ['a', '7'],
  Type: 'A',
}

const made: readonly (readonly [text: string, result: string])[] = [
  ['{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}', 'a.example. 60 IN A 192.0.2.7'],
  ['{{.Name}}{{.Zone}}', 'a.example.example.'],
  ['{{index .Match 1}}{{ index .Group "n" }}{{ index .Group "zz" }}', '77'],
  ['{{ (index .Match 1) }}', '7'],
  ['x {{- " y " -}}  z', 'x y z'],
  ['{{/* a }} b */}}a }} b', 'a }} b'],
  ['{{ "a}}b" }}{{ `\\n` }}{{ "\\x41\\u0042\\103\\t" }}', 'a}}b\\nABC\t'],
  ['{{ if eq .Type "A" }}yes{{ else }}no{{ end }}', 'yes'],
  ['{{ if eq .Type "B" }}b{{ else if eq .Type "C" "A" }}a{{ else }}no{{ end }}!', 'a!'],
  ['{{ if and .Name (not .Group.zz) }}{{ or .Group.zz "o" }}{{ end }}', 'o'],
  ['{{ $x := parseInt .Group.n 16 8 }}{{ printf "%03d" $x }}', '007'],
  ['{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ end }}{{ $x }}', 'b'],
  ['{{ .Name | printf "%s-%s" "x" }}', 'x-a.example.'],
  [
    '{{ with .Group }}{{ .n }}{{ $.Zone }}{{ end }}{{ with "" }}x{{ else }}y{{ end }}',
    '7example.y',
  ],
  ['{{ .Group.zz }}', '<no value>'],
  ['{{ .Match }} {{ .Group }} {{ len .Name }} {{ slice .Name 0 3 }}', '[a 7] map[1:7 n:7] 10 a.e'],
  [
    '{{ printf "%x|%-4s|%4d|%q|%%|%c|%08b" "ab" "c" 5 "d" 65 5 }}',
    '6162|c   |   5|"d"|%|A|00000101',
  ],
  ['{{ if lt 1 2 }}{{ if ge "b" "a" }}{{ ne 1 2 }}{{ end }}{{ end }}', 'true'],
  ["{{ print 'a' 1.5 }}", '97 1.5'],
]
for (const [text, result] of made) {
  test(text, () => {
    const template = parseTemplate(text, fields)
    assert.ok(template.ok, template.ok ? '' : template.why)
    assert.equal(template.value.make(data), { ok: true, value: result })
  })
}

test('an error while the text is made is a value', () => {
  for (const text of [
    '{{ index .Match 9 }}',
    '{{ parseInt "x" 10 8 }}',
    '{{ parseInt "256" 10 8 }}',
    '{{ printf "%d" "x" }}',
    '{{ printf "%s" }}',
    '{{ .Name.x }}',
    '{{ lt 1 "a" }}',
    '{{ len 1 }}',
    '{{ slice .Name 3 1 }}',
  ]) {
    const template = parseTemplate(text, fields)
    assert.ok(template.ok, text)
    assert.is(template.value.make(data).ok, false, text)
  }
})

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['{{ .Nme }}', /unknown field \.Nme; there are \.Name \.Zone/],
  ['{{ $.Nme }}', /unknown field/],
  ['{{ foo }}', /unknown function "foo"/],
  ['{{ if .Name }}', /\{\{if\}\} without \{\{end\}\}/],
  ['{{ end }}', /without \{\{if\}\}/],
  ['{{ else }}', /without \{\{if\}\}/],
  ['{{ if .Name }}{{ else }}{{ else }}{{ end }}', /second \{\{else\}\}/],
  ['{{ .Name', /without "\}\}"/],
  ['{{ range .Match }}{{ end }}', /range\}\} is not supported/],
  ['{{ }}', /lacks a value/],
  ['{{ .Name "x" }}', /gives arguments/],
  ['{{ "x" | .Name }}', /pipes into/],
  ['{{ (index .Match 1 }}', /"\(" without/],
  ['{{ "\\k" }}', /cannot be read/],
  ['{{ .Name ) }}', /too much/],
  ['{{ if .Name }}{{ else foo }}{{ end }}', /cannot be read/],
]
for (const [text, why] of refused) {
  test(`${text} is refused`, () => {
    const template = parseTemplate(text, fields)
    assert.ok(!template.ok)
    assert.match(template.ok ? '' : template.why, why)
  })
}

test('a text without actions is fixed', () => {
  const isFixed = (text: string) => {
    const template = parseTemplate(text, fields)
    return template.ok && template.value.isFixed
  }
  assert.equal([isFixed('a. IN A 192.0.2.1'), isFixed('{{ .Name }} IN A 192.0.2.1')], [true, false])
})

test.run()
