// Goal: a ConfigMap gives the files it holds, and their places in the manifest. Method: manifests as kubectl and people write them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOfConfigMap } from '../../src/cli/config-map.ts'

const test = suite('cli/config-map')

test('files come with the lines and columns before them', () => {
  const manifest = `apiVersion: v1
kind: ConfigMap
metadata: { name: x }
data:
  neardns.yaml: |
    listen: 127.0.0.1:53
  Corefile: |-
      .:53 {
      }
  note: one line
`
  assert.equal(filesOfConfigMap(manifest), [
    { key: 'neardns.yaml', text: 'listen: 127.0.0.1:53\n', offset: { lines: 5, columns: 4 } },
    { key: 'Corefile', text: '.:53 {\n}', offset: { lines: 7, columns: 6 } },
    { key: 'note', text: 'one line', offset: undefined },
  ])
})

test('JSON is taken as well, without places', () => {
  const manifest = JSON.stringify({ kind: 'ConfigMap', data: { a: 'listen: x\n' } })
  assert.equal(filesOfConfigMap(manifest), [{ key: 'a', text: 'listen: x\n', offset: undefined }])
})

test('a ConfigMap without data holds no file', () => {
  assert.equal(filesOfConfigMap('kind: ConfigMap\n'), [])
})

test('what is none is none', () => {
  for (const text of [
    'listen: 127.0.0.1:53\n',
    'kind: Secret\ndata: {}\n',
    '.:53 {\n}\n',
    '# kind: ConfigMap\nlog: {}\n',
  ]) {
    assert.is(filesOfConfigMap(text), undefined, text)
  }
})

test.run()
