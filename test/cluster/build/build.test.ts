// Goal: what test/cluster writes for other programs is right. Method: texts in, texts out; the builds themselves are what .ci/run shows.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { goModText } from '../kubernetes/go-module.ts'
import { outcomeText, withRows } from '../matrix/matrix-table.ts'

const test = suite('cluster/build/build')

test('a Go module of Kubernetes has its staging modules at their published versions', () => {
  const published = `module k8s.io/kubernetes

go 1.26.0

require (
\tgithub.com/a/b v0.0.0-20250520145937-0a7d0b4f3c5a
\tk8s.io/api v0.0.0
)

require (
\tgithub.com/c/d v1.2.3 // indirect
)

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
)
`
  assert.is(
    goModText(published, '1.37.2'),
    `module neardns.test/kubernetes

go 1.26.0

require (
\tk8s.io/kubernetes v1.37.2
\tgithub.com/a/b v0.0.0-20250520145937-0a7d0b4f3c5a
\tk8s.io/api v0.37.2
\tgithub.com/c/d v1.2.3 // indirect
)

replace (
\tk8s.io/api => k8s.io/api v0.37.2
)
`,
  )
})

const empty = `before

<!-- matrix: begin, written by npm run test:cluster-matrix -->

<!-- matrix: end -->
after
`

test('a run of the matrix replaces its own rows and keeps the others', () => {
  const row = (version: string, passed: number, failed: number) => ({
    version,
    mode: 'nftables',
    cells: { faults: outcomeText({ passed, failed }) },
  })
  const once = withRows(empty, ['faults'], [row('1.37.2', 3, 1), row('1.34.4', 4, 0)])
  const again = withRows(once, ['faults'], [row('1.37.2', 4, 0)])
  assert.is(
    again,
    `before

<!-- matrix: begin, written by npm run test:cluster-matrix -->

| kube-proxy | mode | faults |
| --- | --- | --- |
| 1.34.4 | nftables | 4 passed |
| 1.37.2 | nftables | 4 passed |

<!-- matrix: end -->
after
`,
  )
  assert.match(once, '| 1.37.2 | nftables | 3 passed, **1 failed** |')
})

test('a suite that ran no test has not passed, and a document without its marks is refused', () => {
  assert.is(outcomeText({ passed: 0, failed: 0 }), 'did not run')
  assert.throws(() => withRows('text', [], []), /lacks the lines/)
})

test.run()
