// Goal: a walk is a tree that a person can follow. Method: steps against the text.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readExplained } from '../../../src/cli/explain/explained.ts'
import { type Step, walkText } from '../../../src/cli/explain/walk-text.ts'

const test = suite('cli/explain/walk-text')
const step = (page: string, asked?: Step['asked']): Step => ({
  name: 'x',
  explained: readExplained(page),
  asked,
})
const denied = step('x.shop. A\nzone      shop.\noutcome   NXDOMAIN: no such Service [search]\n')
const answered = step(
  'x. A\noutcome   NOERROR: from the cache [cache]\nrecord    x. 30 IN A 192.0.2.1\n',
)

test('each name is a branch, with what follows', () => {
  assert.is(
    walkText('x A', [denied, answered], 0),
    `x A
├─ 1  x.shop. A: NXDOMAIN: no such Service [search]
│      zone      shop.
│      then      the next name is tried
└─ 2  x. A: NOERROR: from the cache [cache]
       record    x. 30 IN A 192.0.2.1
`,
  )
})

test('names behind an answer are counted', () => {
  assert.match(
    walkText('x A', [answered], 2),
    /then {6}the walk ends here\n└─ 2 more names are not asked\n$/,
  )
})

test('what came is timed', () => {
  const asked = { rcode: 'NOERROR', why: undefined, records: ['x. 5 IN A 192.0.2.1'], tookMs: 1.25 }
  const silent = { rcode: undefined, why: 'no reply', records: [], tookMs: 5000 }
  const text = walkText('x A', [step('x. A\n', silent), step('x. A\n', asked)], 0)
  assert.match(text, 'asked     no reply\n')
  assert.match(text, 'asked     NOERROR, 1.3 ms\n       came      x. 5 IN A 192.0.2.1\n')
})

test.run()
