// Goal: the pod of the demo expands names as glibc does.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { candidates, podSearchList } from '../../src/demo/search-list.ts'

const test = suite('demo/search-list')
const search = podSearchList('shop', 'cluster.local')

test('a pod searches its namespace, all services, then the cluster domain', () => {
  assert.equal(search.domains, ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
})

test('a name with fewer dots than ndots is tried as it is at last', () => {
  assert.equal(candidates('api.example.com', search), [
    'api.example.com.shop.svc.cluster.local',
    'api.example.com.svc.cluster.local',
    'api.example.com.cluster.local',
    'api.example.com',
  ])
})

test('a name with as many dots as ndots is tried as it is at first', () => {
  assert.is(candidates('a.b.c.d.e.example', search)[0], 'a.b.c.d.e.example')
  assert.is(candidates('a.b.c.d.e.example', search).length, 4)
})

test('a name with a trailing dot is not expanded', () => {
  assert.equal(candidates('example.com.', search), ['example.com'])
})

test.run()
