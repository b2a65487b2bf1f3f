/*
 * Goal: a name that stands in the message already becomes a pointer, and nothing else does; work and offsets stay in bounds.
 * Method: names appended one after another, read back by the tests' own reader.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NameForm, NameWriter } from '../../src/wire/name-writer.ts'
import { header, labels, name, octets, pointer, question } from '../fixtures/packets/octets.ts'

const test = suite('wire/name-writer')

const asked = 'www.corp.example'
const bodyAt = 12 + name(asked).length + 4

function opened(outBytes = 65_535): NameWriter {
  const out = Buffer.alloc(outBytes, 0xa5)
  octets(header({}), question(name(asked), 1)).copy(out)
  const writer = new NameWriter()
  writer.open(out, bodyAt)
  return writer
}

/** What is appended to the message for a name. */
function appended(writer: NameWriter, source: Buffer, form: NameForm = NameForm.owner): Buffer {
  const before = writer.to
  assert.ok(writer.append(source, 0, source.length, form))
  return Buffer.from(writer.out.subarray(before, writer.to))
}

test('the question’s name and its endings become pointers into the question', () => {
  const writer = opened()
  assert.equal(appended(writer, name(asked)), pointer(12))
  assert.equal(appended(writer, name('corp.example')), pointer(16))
  assert.equal(appended(writer, name('mail.example')), octets(labels('mail'), pointer(21)))
})

test('a name written before is found again, with all its endings', () => {
  const writer = opened()
  const at = writer.to
  assert.equal(appended(writer, name('a.b.test')), name('a.b.test'))
  assert.is(writer.place, at)
  assert.equal(appended(writer, name('b.test')), pointer(at + 2))
  assert.is(writer.place, at + 2)
  assert.equal(appended(writer, name('x.a.b.test')), octets(labels('x'), pointer(at)))
  assert.equal(appended(writer, name('b.b.test')), octets(labels('b'), pointer(at + 2)))
})

test('labels count, not bytes: no pointer leads into a label', () => {
  const writer = opened()
  appended(writer, name('notest.invalid'))
  assert.equal(appended(writer, name('test.invalid')).subarray(0, 5), labels('test'))
})

test('owners are the same in any letters, names in data only in their own', () => {
  const writer = opened()
  assert.equal(appended(writer, name('WWW.Corp.Example')), pointer(12))
  const data = appended(writer, name('Mail.Corp.example'), NameForm.data)
  assert.equal(data, octets(labels('Mail.Corp'), pointer(21)))
})

test('a name in full is compressed nowhere, and later names point to it', () => {
  const writer = opened()
  const at = writer.to
  const target = name('pod.www.corp.example')
  assert.equal(appended(writer, target, NameForm.full), target)
  assert.equal(appended(writer, target), pointer(at))
  // Known endings stay where they were.
  assert.equal(appended(writer, name(asked)), pointer(12))
})

test('the root is one byte', () => {
  const writer = opened()
  assert.equal(appended(writer, name('.')), octets(0))
  assert.equal(appended(writer, name('.'), NameForm.full), octets(0))
})

test('nothing of the message before is known in the next one', () => {
  const writer = opened()
  appended(writer, name('a.b.test'))
  writer.open(writer.out, bodyAt)
  assert.equal(appended(writer, name('a.b.test')), name('a.b.test'))
})

test('what lies out of reach of pointers is not pointed to', () => {
  const writer = opened()
  writer.to = 0x3fff
  assert.equal(appended(writer, name('last.test')), name('last.test'))
  assert.equal(appended(writer, name('last.test')), pointer(0x3fff))
  // Its second label lies behind.
  assert.equal(appended(writer, name('test')), name('test'))
  assert.equal(appended(writer, name('test')), name('test'))
})

test('more names than there is room to remember are written, and the first are still known', () => {
  const writer = opened()
  const names = Array.from({ length: 3000 }, (_, i) => name(`n${i}.example`))
  for (const one of names) {
    assert.equal(appended(writer, one), octets(one.subarray(0, -9), pointer(21)))
  }
  assert.equal(appended(writer, name('n7.example')).length, 2)
  assert.equal(appended(writer, name('n2999.example')), octets(labels('n2999'), pointer(21)))
})

test('a malformed name is refused: loops, forward pointers, names cut off or too long', () => {
  const tooLong = octets(
    Array.from({ length: 5 }, () => labels('a'.repeat(60))),
    0,
  )
  for (const wrong of [
    octets(pointer(0)),
    pointer(40),
    octets(0x80, 'a', 0),
    labels('cut'),
    tooLong,
  ]) {
    assert.not(opened().append(wrong, 0, wrong.length, NameForm.owner))
  }
  const writer = new NameWriter()
  writer.open(octets(header({}), labels('cut')), 16)
  assert.not(writer.append(name('a'), 0, 3, NameForm.owner))
})

test('a name that has no room is refused', () => {
  assert.ok(opened(bodyAt + 7).append(name('a.corp.example'), 0, 16, NameForm.owner))
  assert.ok(opened(bodyAt + 6).append(name('a.test'), 0, 8, NameForm.owner) === false)
  assert.ok(opened(bodyAt + 3).append(name('a.corp.example'), 0, 16, NameForm.owner) === false)
  const writer = opened(bodyAt + 1)
  assert.not(writer.point(12))
})

test('the labels of one message are bounded, so that hostile ones cost little', () => {
  const writer = opened()
  const long = octets(
    Array.from({ length: 126 }, () => labels('a')),
    0,
  )
  let names = 0
  while (names < 10_000 && writer.append(long, 0, long.length, NameForm.owner)) names += 1
  // Each takes 127 steps.
  assert.ok(names > 400 && names < 600, `${names} names`)
})

test.run()
