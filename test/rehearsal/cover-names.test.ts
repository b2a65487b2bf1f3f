// Goal: a report without names says which are the same, and no name. Method: a hash that shows what it was given.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { covered, uncovered } from '../../src/rehearsal/cover-names.ts'
import { wireName } from '../../src/wire/name.ts'

const test = suite('rehearsal/cover-names')

const cover = covered((text) => `h${text.length}`, 'cluster.local.')
const wire = (text: string) => Buffer.from(wireName(text)).toString('latin1')

test("labels are hashed one by one, but for the cluster's own", () => {
  assert.is(cover.name(wire('redis.shop.svc.cluster.local')), 'h5.h4.svc.cluster.local.')
  assert.is(cover.name(wire('www.example.com')), 'h3.h7.h3.')
  assert.is(cover.name(wire('svc.example.com')), 'h3.h7.h3.', 'svc is plain in the cluster alone')
  assert.is(cover.name(wire('notcluster.local')), 'h10.h5.')
  assert.is(cover.name(wire('cluster.local')), 'cluster.local.')
})

test('clients are hashed', () => {
  assert.is(cover.client('10.77.0.2'), 'client-h9')
})

test('where names are asked for they are shown, without control characters', () => {
  assert.is(uncovered.name(wire('redis.shop.svc.cluster.local')), 'redis.shop.svc.cluster.local.')
  assert.is(uncovered.name('\u0002\u001b[\u0000'), '\\027\\091.')
  assert.is(uncovered.client('10.77.0.2'), '10.77.0.2')
})

test.run()
