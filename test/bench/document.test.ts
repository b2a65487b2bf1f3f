/** Goal: docs/performance.md says what the results say. Method: it is made again and compared. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshPage, presentPage } from '../../bench/document.ts'

const test = suite('bench/document')

test('the page is what `node bench/document.ts` makes of the results', () => {
  assert.is(presentPage(), freshPage())
})

test.run()
