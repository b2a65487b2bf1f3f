/** Goal: a reply that lacks what is printed is told from one that has more. Method: values against the examples. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forms, hasForm } from '../../../src/cli/operator/forms.ts'

const test = suite('cli/operator/forms')

test('each example has its own form, with more in it as well', () => {
  for (const form of Object.values(forms)) {
    const sent: unknown = JSON.parse(JSON.stringify(form))
    assert.ok(hasForm(sent, form), JSON.stringify(form))
    assert.ok(hasForm({ ...form, newer: [1] }, form))
  }
})

test('without any one of its fields a reply is another program’s', () => {
  for (const form of Object.values(forms))
    for (const key of Object.keys(form)) {
      assert.not.ok(hasForm({ ...form, [key]: undefined }, form), key)
      assert.not.ok(hasForm({ ...form, [key]: null }, form), key)
    }
})

test('kinds are compared all the way down', () => {
  const example = { list: [{ n: 0 }], any: null }
  assert.ok(hasForm({ list: [], any: 3 }, example))
  assert.ok(hasForm({ list: [{ n: 1 }, { n: 2, more: '' }] }, example))
  for (const value of [[], {}, 3, null, { list: {} }, { list: [{ n: '1' }] }, { list: [null] }])
    assert.not.ok(hasForm(value, example), JSON.stringify(value))
})

test.run()
