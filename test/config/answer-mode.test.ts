/* Goal: answer mode cannot be configured where it could never be right, and the complaint says where and why. Method: files. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { configuredSearchLists } from '../../src/daemon/search/configured-search-lists.ts'
import { name } from '../fixtures/packets/octets.ts'

const test = suite('config/answer-mode')

const good = {
  cluster: { upstreams: ['127.0.0.1:5300'] },
  searchPath: {
    trust: 'declared',
    answerMode: { namespaces: [{ name: 'team-0', clients: ['10.244.1.0/24', 'fd00:1::/64'] }] },
  },
}
type Changes = Readonly<Record<string, unknown>>

function load(searchPath: Changes, others: Changes = {}) {
  const text = JSON.stringify({
    ...good,
    searchPath: { ...good.searchPath, ...searchPath },
    ...others,
  })
  return loadConfig({ file: { name: 'neardns.yaml', text } })
}

function complaints(searchPath: Changes, others: Changes = {}): string[] {
  const result = load(searchPath, others)
  return result.ok ? [] : result.problems.map(formatProblem)
}

function withNamespaces(...namespaces: readonly Changes[]): Changes {
  return { answerMode: { namespaces } }
}

test('a described namespace under declared trust is accepted', () => {
  assert.equal(complaints({}), [])
  assert.equal(complaints({ trust: 'auto', corefile: '/etc/coredns/Corefile' }), [])
})

test('what is missing is named, with the line', () => {
  const where = /^neardns\.yaml:1:\d+: searchPath\.answerMode\.namespaces\[0\]: /
  const cases: readonly (readonly [string[], RegExp])[] = [
    [complaints({ trust: 'cautious' }), /set searchPath\.trust to auto/],
    [complaints({ trust: 'auto' }), /name it in searchPath\.corefile/],
    [complaints({ enabled: false }), /set searchPath\.enabled to true/],
    [complaints({}, { cluster: { upstreams: [] } }), /name it in cluster\.upstreams/],
  ]
  for (const [found, wanted] of cases) {
    assert.is(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', where)
    assert.match(found[0] ?? '', wanted)
  }
})

test('the same namespace twice, a carve-out above it and a domain that is implied are refused', () => {
  const one = { name: 'team-0' }
  assert.match(complaints(withNamespaces(one, one)).join('\n'), /describe each once/)
  const carved = complaints({ carveOuts: ['svc.cluster.local'] })
  assert.match(carved.join('\n'), /carved out \(svc\.cluster\.local\)/)
  const implied = complaints(withNamespaces({ ...one, searchDomains: ['svc.cluster.local'] }))
  assert.match(implied.join('\n'), /begins with/)
})

test('bad names and networks are told from good ones', () => {
  assert.match(complaints(withNamespaces({ name: 'Team_0' })).join('\n'), /is not a namespace/)
  for (const [client, why] of [
    ['10.244.1.7/24', /write 10\.244\.1\.0\/24/],
    ['10.244.1.0/33', /from 0 to 32/],
    ['fd00::1/64', /write fd00::\/64/],
    ['pods', /not an IP address/],
  ] as const) {
    assert.match(complaints(withNamespaces({ name: 'a', clients: [client] })).join('\n'), why)
  }
})

test('the list is that of the clients in the networks, and of nobody else', () => {
  const loaded = load(
    withNamespaces({
      ...good.searchPath.answerMode.namespaces[0],
      searchDomains: ['corp.example'],
    }),
  )
  if (!loaded.ok) throw new Error('not loaded')
  const lists = configuredSearchLists(loaded.config)
  const find = (client: string) => lists?.find('\x06team-0', client)
  assert.equal(
    find('10.244.1.7')?.suffixes,
    ['team-0.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'].map(
      (domain) => name(domain).toString('latin1'),
    ),
  )
  assert.ok(find('::ffff:10.244.1.7'), 'as a socket of both families writes it')
  assert.ok(find('fd00:1::7'))
  for (const client of ['10.244.2.7', 'fd00:2::7', '127.0.0.1', '']) assert.not.ok(find(client))
  assert.not.ok(lists?.find('\x06team-1', '10.244.1.7'))
})

test.run()
