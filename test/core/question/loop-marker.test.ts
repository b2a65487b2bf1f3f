/** Goal: we know our own query when it comes back, also after it went through another neardns, and nobody else's. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isOwnQuery, markersFor } from '../../../src/core/question/loop-marker.ts'
import { Question, readQuestion } from '../../../src/wire/question.ts'
import { header, name, octets, opt, option, question } from '../../fixtures/packets/octets.ts'

const test = suite('core/question/loop-marker')

const ours = Buffer.from('ourselve')
const theirs = Buffer.from('somebody')

function marked(data: Uint8Array | undefined): [Buffer, Question] {
  const query = octets(
    header({ counts: [1, 0, 0, 1] }),
    question(name('www.example'), 1),
    opt(data === undefined ? {} : { options: option(65001, data) }),
  )
  const into = new Question()
  readQuestion(query, query.length, into)
  return [query, into]
}

test('our own marker is known, alone or among those of others', () => {
  assert.ok(isOwnQuery(...marked(ours), ours))
  assert.ok(isOwnQuery(...marked(octets(theirs, ours)), ours))
  assert.ok(isOwnQuery(...marked(octets(ours, theirs)), ours))
})

test('other markers, none, parts of ours and ours in the wrong place are not ours', () => {
  for (const data of [
    undefined,
    octets(),
    theirs,
    octets(theirs, theirs),
    ours.subarray(0, 7),
    octets('x', ours),
    octets(ours, 'x'),
  ]) {
    assert.not(isOwnQuery(...marked(data), ours), data?.toString())
  }
})

test('an empty marker is nobody’s', () => {
  assert.not(isOwnQuery(...marked(octets()), Buffer.alloc(0)))
  assert.not(isOwnQuery(...marked(ours), Buffer.alloc(0)))
})

test('a query of our own carries our marker behind those it came with', () => {
  assert.equal(Buffer.from(markersFor(...marked(undefined), ours)), ours)
  assert.equal(Buffer.from(markersFor(...marked(theirs), ours)), octets(theirs, ours))
})

test('four markers are carried on at most, the first on the way, and nothing that is no list of markers', () => {
  const carried = (data: Uint8Array) => Buffer.from(markersFor(...marked(data), ours))
  assert.equal(carried(octets(theirs, theirs, theirs)), octets(theirs, theirs, theirs, ours))
  assert.equal(
    carried(octets(theirs, theirs, theirs, theirs)),
    octets(theirs, theirs, theirs, theirs),
  )
  assert.equal(carried(octets(theirs, theirs, theirs, theirs, theirs)), ours)
  assert.equal(carried(octets('tunnel')), ours)
  assert.equal(carried(octets()), ours)
})

test('without a marker of our own nothing is carried on', () => {
  assert.is(markersFor(...marked(theirs), Buffer.alloc(0)).length, 0)
})

test.run()
