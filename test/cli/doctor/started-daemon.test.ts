// Goal: a running daemon's arguments are recognised, those of other programs are not. Method: argument lists as /proc has them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startedBy } from '../../../src/cli/doctor/started-daemon.ts'

const test = suite('cli/doctor/started-daemon')

const lines: [string, readonly string[] | undefined][] = [
  [
    '/usr/local/bin/node --max-semi-space-size=4 /app/dist/main.js run --config /c.yaml',
    ['--config', '/c.yaml'],
  ],
  ['node src/main.ts --listen 127.0.0.1:53', ['--listen', '127.0.0.1:53']],
  ['node /app/dist/main.js run', []],
  ['node /app/dist/main.js', []],
  ['node /app/dist/main.js doctor', undefined],
  ['/usr/bin/neardns run --io auto', ['--io', 'auto']],
  ['node server.js run', undefined],
  ['', undefined],
]
for (const [line, argv] of lines) {
  test(`${line || 'no arguments'}: ${argv === undefined ? 'another program' : 'a daemon'}`, () => {
    const started = argv && { argv, isNodeCache: false }
    assert.equal(startedBy(line.split(' ')), started)
  })
}

const asNodeCache = ['-localip', '169.254.20.10', '-conf', '/etc/Corefile']
for (const program of [
  'node /usr/local/bin/node-cache',
  'node /app/dist/main.js node-cache',
  'node /app/dist/main.js',
]) {
  test(`${program} in the place of node-cache`, () => {
    const line = [...program.split(' '), ...asNodeCache]
    assert.equal(startedBy(line), { argv: asNodeCache, isNodeCache: true })
  })
}

test('node-cache itself is another program', () => {
  assert.is(startedBy(['/node-cache', ...asNodeCache]), undefined)
})

test.run()
