/** Goal: the README's numbers are those of docs/performance.md, and a bar that goes is noticed. Method: texts that the test writes; the real ones in config/schema.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withNumbers } from '../../docs/readme-numbers.ts'

const test = suite('meta/readme-numbers')

const performance = `
| hit at saturation, CPU per query, to CoreDNS's | 0.17 | <= 0.35 | met |
| miss over TCP, CPU per query, to CoreDNS's | 0.42 | <= 0.33 | not met |
| RSS, 20,000 answers at 20,000 q/s | 82 MB | <= 100 MB | met |
`
const readme = 'head\n<!-- numbers: `npm run docs` -->\nold\n<!-- end of numbers -->\ntail\n'

test('the figures stand between the marks, and nothing else changes', () => {
  const made = withNumbers(readme, performance)
  assert.match(
    made,
    /^head\n<!--[\s\S]*\*\*0\.17\*\*[\s\S]*\*\*0\.42\*\*[\s\S]*\*\*82 MB\*\*[\s\S]*\ntail\n$/,
  )
  assert.not.match(made, /old/)
  assert.is(withNumbers(made, performance), made)
})

test('a bar or a mark that is away is said', () => {
  assert.throws(() => withNumbers(readme, ''), /docs\/performance\.md has no bar hit at saturation/)
  assert.throws(() => withNumbers('none', performance), /README\.md lacks/)
})

test.run()
