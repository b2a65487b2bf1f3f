/** Goal: each key does what the last line says, and a flush wants a yes. Method: keys in turn. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { firstView, press, type View, type Wish } from '../../../../src/cli/operator/top/view.ts'

const test = suite('cli/operator/top/view')

const rows = ['a.example.', 'b.example.', 'c.example.']

function after(keys: readonly string[], from: Partial<View> = {}): { view: View; wish: Wish } {
  let view: View = { ...firstView, ...from }
  let wish: Wish = { kind: 'none' }
  for (const name of keys)
    [view, wish] = press(view, { name, ctrl: false, text: name === 'slash' ? '/' : name }, rows)
  return { view, wish }
}

test('panes by their letter, or one after the other', () => {
  const panes = ['c', 'r', 's', 'u', 'n'].map((key) => after([key]).view.pane)
  assert.equal(panes, ['clients', 'rcodes', 'slowest', 'upstreams', 'names'])
  assert.is(after(['tab', 'tab']).view.pane, 'rcodes')
  assert.is(after(['u', 'tab']).view.pane, 'names')
})

test('the chosen row stays within the rows', () => {
  assert.is(after(['up']).view.chosen, 0)
  assert.is(after(['down', 'down', 'down', 'down']).view.chosen, 2)
  assert.is(after(['up'], { chosen: 9 }).view.chosen, 1)
  assert.is(after(['down', 'c']).view.chosen, 0)
})

test('a filter is typed, kept or dropped', () => {
  const typed = after(['slash', 'w', 'q', 'backspace', 'w', 'return'])
  assert.equal([typed.view.filter, typed.view.isTyping], ['ww', false])
  assert.is(after(['slash', 'w', 'escape']).view.filter, '')
  assert.is(after(['escape'], { filter: 'x' }).view.filter, '')
})

test('explain is about the chosen name, and only a name', () => {
  assert.equal(after(['down', 'e']).wish, { kind: 'explain', name: 'b.example.' })
  assert.equal(after(['c', 'e']).wish, { kind: 'none' })
  const [, wish] = press(firstView, { name: 'e', ctrl: false, text: 'e' }, [])
  assert.equal(wish, { kind: 'none' })
})

test('a flush wants a yes', () => {
  assert.is(after(['f']).view.asksToFlush, 'a.example.')
  assert.equal(after(['f', 'y']).wish, { kind: 'flush', name: 'a.example.' })
  const other = after(['f', 'q'])
  assert.equal([other.wish, other.view.asksToFlush], [{ kind: 'none' }, undefined])
})

test('a note is closed by any key; q and Ctrl-C end, p pauses', () => {
  assert.equal(
    [after(['q'], { note: ['x'] }).view.note, after(['q'], { note: ['x'] }).wish.kind],
    [undefined, 'close'],
  )
  assert.is(after(['q']).wish.kind, 'end')
  assert.is(press(firstView, { name: 'c', ctrl: true, text: '' }, rows)[1].kind, 'end')
  assert.is(after(['p']).view.isPaused, true)
})

test.run()
