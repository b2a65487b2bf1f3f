/** Goal: a picture has as many lines and columns as the terminal, and what matters in it. Method: pictures of 80 and 120 columns and of too few. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { between } from '../../../../src/cli/operator/numbers.ts'
import { frame, type Paint, plainLine, rowsOf } from '../../../../src/cli/operator/top/frame.ts'
import { firstView, panes, type View } from '../../../../src/cli/operator/top/view.ts'
import { liveOf } from './pictures.ts'

const test = suite('cli/operator/top/frame')

const plain: Paint = (_style, text) => text
const marked: Paint = (style, text) => `<${style}>${text}`

const now = liveOf()
const rates = between(liveOf({ atMs: 999_000, queries: 950 }), now)

function picture(view: Partial<View> = {}, width = 80, height = 24, paint = plain): string[] {
  return frame({ now, rates, view: { ...firstView, ...view }, width, height }, paint)
}

test('each pane fits 80 and 120 columns, and very small terminals', () => {
  for (const [width, height] of [
    [80, 24],
    [120, 40],
    [40, 8],
    [10, 3],
  ] as const)
    for (const pane of panes) {
      const lines = picture({ pane }, width, height)
      assert.is(lines.length, height)
      if (width >= 40)
        assert.ok(
          lines.every((line) => line.length <= width),
          lines.join('\n'),
        )
    }
})

test('what stands in place of a list is cut as well', () => {
  for (const view of [{ filter: 'no such name' }, { note: ['a line that is long'] }])
    for (const line of picture(view, 12, 12).slice(5)) assert.ok(line.length <= 12, line)
})

test('the head has what an operator looks for first', () => {
  const text = picture().join('\n')
  for (const part of [
    '50 q/s',
    'p99',
    'search path spares',
    '1 of 2 upstreams up',
    'questions in flight: 3',
    '[names]',
  ])
    assert.ok(text.includes(part), part)
})

test('what is chosen, and what is bad, is painted', () => {
  const text = picture({ chosen: 1 }, 80, 24, marked).join('\n')
  assert.match(text, /<chosen>www\.example\.com\./)
  assert.match(text, /<bad>1 of 2 upstreams up/)
})

test('a filter leaves rows out, and a note stands in their place', () => {
  const view = { ...firstView, filter: 'www' }
  assert.equal(
    rowsOf(view, now, rates).map(({ key }) => key),
    ['www.example.com.'],
  )
  assert.ok(picture({ filter: 'nothing' }).includes('nothing passes the filter'))
  assert.ok(picture({ note: ['because'] }).includes('because'))
  assert.match(
    picture({ asksToFlush: 'www.example.com.' }).at(-1) ?? '',
    /^flush www\.example\.com\.\? y flushes/,
  )
  assert.match(picture({ isTyping: true, filter: 'w' }).join('\n'), /\/w_/)
})

test('a list that is longer than the screen moves with the choice', () => {
  const names = Array.from({ length: 60 }, (_, i) => ({ key: `n${i}.`, perSecond: 1 }))
  const lines = frame(
    { now: { ...now, names }, rates, view: { ...firstView, chosen: 59 }, width: 80, height: 24 },
    marked,
  )
  assert.match(lines.join('\n'), /<chosen>n59\./)
})

test('one look is one line for a pipe', () => {
  const line = plainLine({ now, rates })
  assert.not.match(line, '\n')
  assert.match(line, /50 q\/s.*upstreams 1 of 2 up, most asked kubernetes/)
})

test.run()
