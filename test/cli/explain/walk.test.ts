// Goal: names are tried in the order of glibc. Method: names and lists against the order that resolv.conf(5) gives.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { namesOfWalk, podSearchList } from '../../../src/cli/explain/walk.ts'

const test = suite('cli/explain/walk')
const list = podSearchList('shop', 'cluster.local')

test('a name with fewer dots is tried with the list first', () => {
  assert.equal(namesOfWalk('api.example.com', list), [
    'api.example.com.shop.svc.cluster.local.',
    'api.example.com.svc.cluster.local.',
    'api.example.com.cluster.local.',
    'api.example.com.',
  ])
})

test('a name with enough dots is tried as it is first', () => {
  assert.equal(namesOfWalk('a.b', { domains: ['x'], ndots: 1 }), ['a.b.', 'a.b.x.'])
})

test('a name with a dot at its end is tried alone', () => {
  assert.equal(namesOfWalk('api.example.com.', list), ['api.example.com.'])
})

test.run()
