/** Goal: the page takes a name and a type in a path, and says how where that is not what came. Method: paths, on a real data path. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explainPage } from '../../../src/daemon/operator/explain-page.ts'
import { dataPathOf } from '../support.ts'

const test = suite('daemon/operator/explain-page')

test('a name, with a type and percent-encoding, is explained; anything else is told how', () => {
  const path = dataPathOf({})
  path.exchange.stop()
  assert.match(explainPage(path, 'www%2eexample/AAAA').body, /^www\.example\. AAAA\n/)
  assert.match(explainPage(path, 'www.example').body, /^www\.example\. A\n/)
  for (const rest of ['', 'a..b', 'a/NOTYPE', 'a/A/b', '%ZZ/A'])
    assert.is(explainPage(path, rest).status, 400, rest)
})

test.run()
