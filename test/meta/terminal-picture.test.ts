// Goal: what a terminal showed is drawn as it was, colours included, and the README's picture is one that was recorded so.
// Method: a short output against the drawing; the committed file for what it must hold.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { terminalPicture } from '../../docs/terminal/picture.ts'

const test = suite('meta/terminal-picture')
const screen = { rows: 2, columns: 20 }

test('lines come one after another, with their colours, and scroll', () => {
  const picture = terminalPicture(
    '\x1b[1mTitle\x1b[22m\nfrom \x1b[32mcache\x1b[39m <1 ms\n\nend\r\n',
    screen,
    'a & b',
  )
  assert.match(picture, '<title>a &amp; b</title>')
  assert.match(picture, '<tspan class="b">Title</tspan>')
  assert.match(picture, 'from <tspan class="g">cache</tspan> &lt;1 ms</text>')
  assert.is(picture.match(/<text /g)?.length, 3)
  assert.match(picture, 'values="0 0;0 0;0 0;0 -18;0 -36"')
})

test('there are as many times as values', () => {
  const picture = terminalPicture('a\nb\nc\n', screen, 'x')
  const lists = [...picture.matchAll(/(?:values|keyTimes)="([^"]*)"/g)].map(
    ([, list = '']) => list.split(';').length,
  )
  assert.equal([...new Set(lists)], [4])
})

test('the picture of the README is a recording of the demo, and reaches nobody else', () => {
  const picture = readFileSync(new URL('../../docs/terminal.svg', import.meta.url), 'utf8')
  assert.match(picture, '$ npm run demo')
  assert.match(picture, 'stale cache')
  assert.not.match(picture, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
})

test.run()
