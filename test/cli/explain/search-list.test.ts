// Goal: the flags of `explain` mean a search list, or are refused in one line. Method: flags against lists and complaints.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSearchList } from '../../../src/cli/explain/search-list.ts'

const test = suite('cli/explain/search-list')

function read(flags: Readonly<Record<string, string>>) {
  return readSearchList({ flag: (name) => flags[name] })
}

test('a pod has the list that the kubelet gives it', () => {
  const domains = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local']
  assert.equal(read({ '--as-pod': 'shop' }), { domains, ndots: 5 })
  assert.equal(read({ '--as-pod': 'shop', '--ndots': '2' }), { domains, ndots: 2 })
  assert.equal(read({ '--as-pod': 'shop', '--cluster-domain': 'k8s.example' }), {
    domains: ['shop.svc.k8s.example', 'svc.k8s.example', 'k8s.example'],
    ndots: 5,
  })
})

test('a list of one’s own has ndots 1 unless another is given', () => {
  assert.equal(read({ '--search': 'a.example,b.example' }), {
    domains: ['a.example', 'b.example'],
    ndots: 1,
  })
})

test('without flags there is none', () => {
  assert.is(read({}), undefined)
})

const wrong: [Record<string, string>, string][] = [
  [{ '--ndots': '3' }, '--ndots needs --search or --as-pod'],
  [{ '--cluster-domain': 'k8s.example' }, '--cluster-domain needs --as-pod'],
  [{ '--search': 'a', '--cluster-domain': 'b' }, '--cluster-domain needs --as-pod'],
  [{ '--search': 'a,,b' }, '--search a,,b: a name is missing beside a comma'],
  [{ '--as-pod': 'a', '--search': 'b' }, '--as-pod and --search: give one of them'],
  [{ '--as-pod': 'a.b' }, '--as-pod a.b: it takes the name of a namespace'],
]
for (const [flags, why] of wrong) {
  test(`${JSON.stringify(flags)} is refused`, () => {
    assert.is(read(flags), why)
  })
}

test.run()
