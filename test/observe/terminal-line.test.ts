// Goal: at a terminal a log line reads well, says what the JSON line says, and lets no control character through.
// Method: JSON lines against the text.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { terminalLine } from '../../src/observe/terminal-line.ts'

const test = suite('observe/terminal-line')
const line = (fields: object) =>
  `${JSON.stringify({ level: 'info', time: '2026-11-30T13:52:34.123Z', ...fields, msg: 'ready' })}\n`

test('time, level and message come first, then the fields', () => {
  const fields = { listening: ['127.0.0.1:5353', '[::1]:5353'], io: 'batched', pid: 7, why: 'a b' }
  assert.is(
    terminalLine(line(fields), false),
    '13:52:34.123 INFO  ready listening=127.0.0.1:5353,[::1]:5353 io=batched pid=7 why="a b"\n',
  )
})

test('empty lists, sections and switches are told apart', () => {
  assert.match(
    terminalLine(line({ a: [], b: { c: 1 }, d: false, e: null }), false),
    'a=[] b={"c":1} d=false e=null',
  )
})

test('a stack trace keeps its lines', () => {
  const text = terminalLine(line({ err: { message: 'x', stack: 'Error: x\n    at y' } }), false)
  assert.is(text, '13:52:34.123 INFO  ready\n    Error: x\n        at y\n')
})

test('colours change no letter', () => {
  const coloured = terminalLine(line({ a: 1 }), true)
  assert.match(coloured, '\x1b[32mINFO')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
  assert.is(coloured.replaceAll(/\x1b\[\d+m/g, ''), terminalLine(line({ a: 1 }), false))
})

test('control characters of others are written as escapes', () => {
  assert.match(terminalLine(line({ name: '\x1b[2Jx\u009b' }), false), 'name=\\u001b[2Jx\\u009b')
})

test('what is no line of the log stays as it is', () => {
  assert.is(terminalLine('warning\n', true), 'warning\n')
})

test.run()
