/*
 * Goal: each directive is taken or refused as CoreDNS's plugin takes or refuses it, at the place where the mistake is. Method: a table of texts in
 * one server block, each with the place of its mistake. What is valid was asked of CoreDNS 1.14.7: nodelocal/coredns asks again.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileRe2 } from '../../src/local/pattern/re2.ts'
import { translate } from '../../src/nodelocal/translate.ts'
import { directiveCases, inBlock } from './directive-cases.ts'

const test = suite('nodelocal/directives')

for (const { name, text, wrong } of directiveCases) {
  test(`${name} ${wrong === undefined ? 'is taken' : 'is refused'}: ${text.replaceAll('\n', ' / ')}`, () => {
    const { problems, settings } = translate(inBlock(text), {
      file: 'Corefile',
      compilePattern: compileRe2,
    })
    const places = problems.map(({ line, column }) => `${line - 1}:${column}`)
    assert.equal(places, wrong === undefined ? [] : [wrong], JSON.stringify(problems))
    assert.is(settings === undefined, wrong !== undefined)
    for (const { message, cure } of problems) assert.ok(message !== '' && cure !== '', message)
  })
}

test.run()
