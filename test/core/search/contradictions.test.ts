/*
 * Goal: a cut that denies a name that exists is wrong only when it fails twice, with a rest between. Method: what CoreDNS may say, in
 * each order, at given times.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Contradictions, restMs } from '../../../src/core/search/contradictions.ts'

const test = suite('core/search/contradictions')

const cut = '\x03com\0'
const db = { name: '\x02db\x03com\0', qtype: 1 }
const at = 1_000_000
const doubtMs = 600_000

function raised(): Contradictions {
  const contradictions = new Contradictions()
  contradictions.raise(cut, db, at)
  return contradictions
}

/** Raised, and the cut denied when it was asked. */
function rested(): Contradictions {
  const contradictions = raised()
  assert.is(contradictions.hear(cut, false, at + 10), 'rest')
  return contradictions
}

test('a cut rests for as long as replicas of CoreDNS may differ', () => {
  assert.is(restMs, 5000)
})

test('of a cut that nobody doubts nothing is said', () => {
  const contradictions = new Contradictions()
  assert.is(contradictions.hear(cut, false, at), undefined)
  assert.is(contradictions.retry(cut, at), undefined)
  assert.is(raised().hear('\x03net\0', false, at), undefined)
  assert.is(raised().retry('\x03net\0', at), undefined)
})

test('a cut that exists now was no mistake: the Service came', () => {
  const contradictions = raised()
  assert.is(contradictions.hear(cut, true, at + 10), undefined)
  assert.is(contradictions.retry(cut, at + 20), undefined, 'it is forgotten')
  contradictions.raise(cut, db, at + 30)
  assert.is(contradictions.hear(cut, false, at + 40), 'rest', 'and a new doubt begins anew')
})

test('a cut that is denied still rests, and the same name is to be checked again then', () => {
  const contradictions = rested()
  assert.equal(contradictions.retry(cut, at + 20), db)
  assert.is(contradictions.hear(cut, false, at + 20), undefined, 'it was heard once for this audit')
})

test('while the cut has not been asked there is nothing to check again', () => {
  assert.is(raised().retry(cut, at), undefined)
})

test('the second time the name exists below a denied cut it is a mismatch, of that name', () => {
  const contradictions = rested()
  contradictions.raise(cut, { name: '\x05other\x03com\0', qtype: 28 }, at + 5010)
  assert.equal(contradictions.hear(cut, false, at + 5020), db)
  assert.is(contradictions.retry(cut, at + 5030), undefined, 'and no doubt any more')
})

test('the second time the cut exists there was no mistake', () => {
  const contradictions = rested()
  contradictions.raise(cut, db, at + 5010)
  assert.is(contradictions.hear(cut, true, at + 5020), undefined)
  assert.is(contradictions.retry(cut, at + 5030), undefined)
})

test('an audit that finds the same name absent ends the doubt, one of another name does not', () => {
  const contradictions = rested()
  contradictions.dismiss(cut, '\x05other\x03com\0')
  contradictions.dismiss('\x03net\0', db.name)
  assert.equal(contradictions.retry(cut, at + 20), db)
  contradictions.dismiss(cut, db.name)
  assert.is(contradictions.retry(cut, at + 20), undefined)
})

test('a doubt is over ten minutes after it was raised', () => {
  assert.equal(rested().retry(cut, at + doubtMs - 1), db)
  assert.is(rested().retry(cut, at + doubtMs), undefined)
  assert.is(raised().hear(cut, false, at + doubtMs - 1), 'rest')
  assert.is(raised().hear(cut, false, at + doubtMs), undefined)
  const late = rested()
  late.raise(cut, db, at + doubtMs)
  assert.is(late.hear(cut, false, at + doubtMs), 'rest', 'what comes then is a first doubt')
})

test('doubts are told apart by their cut', () => {
  const contradictions = rested()
  const other = { name: '\x01x\x03net\0', qtype: 1 }
  contradictions.raise('\x03net\0', other, at + 20)
  assert.is(contradictions.hear('\x03net\0', false, at + 30), 'rest')
  assert.equal(contradictions.retry('\x03net\0', at + 30), other)
  assert.equal(contradictions.retry(cut, at + 30), db)
})

test('a thousand doubts at once are a world that changes as a whole: they are all forgotten', () => {
  const contradictions = rested()
  for (let i = 1; i < 1000; i++) contradictions.raise(`${i}\0`, db, at)
  assert.equal(contradictions.retry(cut, at), db)
  contradictions.raise(cut, db, at)
  contradictions.hear(cut, true, at)
  contradictions.raise('1000\0', db, at)
  assert.is(contradictions.hear('1\0', false, at), 'rest', 'there was room again')
  contradictions.raise('1001\0', db, at)
  assert.is(contradictions.retry('1\0', at), undefined)
  assert.is(contradictions.hear('1001\0', false, at), 'rest')
})

test.run()
