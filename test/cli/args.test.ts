// Goal: the fixed command line does what it says, and every misuse is answered by one line that helps.
// Method: argument lists against the parsed result or the literal complaint.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRunArgs, readCommand } from '../../src/cli/args.ts'
import { helpText } from '../../src/cli/help.ts'

const test = suite('cli/args')

function why(argv: string[]): string {
  const parsed = parseRunArgs(argv)
  return parsed.ok ? 'ok' : parsed.why
}

test('no argument, a flag and the word run all mean run', () => {
  assert.equal(readCommand([]), { kind: 'verb', verb: 'run', argv: [] })
  assert.equal(readCommand(['--listen', 'x']), {
    kind: 'verb',
    verb: 'run',
    argv: ['--listen', 'x'],
  })
  assert.equal(readCommand(['run', '--io=auto']), {
    kind: 'verb',
    verb: 'run',
    argv: ['--io=auto'],
  })
})

test('a verb keeps its arguments', () => {
  assert.equal(readCommand(['query', 'a.example', '--tcp']), {
    kind: 'verb',
    verb: 'query',
    argv: ['a.example', '--tcp'],
  })
})

test('help and version are found wherever they stand', () => {
  for (const argv of [['--help'], ['-h'], ['help'], ['run', '--help'], ['query', 'x', '-h']]) {
    assert.equal(readCommand(argv), { kind: 'help' })
  }
  for (const argv of [['--version'], ['-v'], ['version']]) {
    assert.equal(readCommand(argv), { kind: 'version' })
  }
})

test('help wins over whatever else is wrong, but behind -- it is a word', () => {
  for (const argv of [
    ['--frobnicate', '--help'],
    ['--config', '--help'],
    ['valdiate', '-h'],
  ]) {
    assert.equal(readCommand(argv), { kind: 'help' })
  }
  assert.equal(readCommand(['query', '--', '--help']), {
    kind: 'verb',
    verb: 'query',
    argv: ['--', '--help'],
  })
})

test('a verb of a later version says so', () => {
  for (const verb of 'check top cache upstreams doctor'.split(' ')) {
    assert.equal(readCommand([verb, 'x']), {
      kind: 'mistake',
      why: `${verb} is not in this version yet; there are run, validate, query, explain, rules, import, demo`,
    })
  }
})

test('a mistyped verb is answered with the one that was meant', () => {
  assert.equal(readCommand(['valdiate', 'x']), {
    kind: 'mistake',
    why: 'unknown command "valdiate"; did you mean validate?',
  })
  assert.equal(readCommand(['frobnicate']), {
    kind: 'mistake',
    why: 'unknown command "frobnicate"; there are run, validate, query, explain, rules, import, demo',
  })
})

test('flags of run become settings, with = or a blank', () => {
  const parsed = parseRunArgs([
    ...['--config', 'n.yaml', '--listen=127.0.0.1:5453', '--listen', '[::1]:5453'],
    ...[
      '--cluster-upstream',
      '127.0.0.1:5300',
      '--upstream=tls://1.1.1.1#a=b',
      '--admin',
      '127.0.0.1:9453',
    ],
    ...['--cluster-domain', 'k8s.example', '--log-level=debug', '--io', 'portable'],
  ])
  assert.ok(parsed.ok)
  assert.is(parsed.args.configFile, 'n.yaml')
  assert.equal(
    parsed.args.overrides.map(({ path, value }) => [path.join('.'), value]),
    [
      ['listen', '127.0.0.1:5453'],
      ['listen', '[::1]:5453'],
      ['cluster.upstreams', '127.0.0.1:5300'],
      ['external.upstreams', 'tls://1.1.1.1#a=b'],
      ['admin.listen', '127.0.0.1:9453'],
      ['clusterDomain', 'k8s.example'],
      ['log.level', 'debug'],
      ['io', 'portable'],
    ],
  )
})

test('without flags nothing is overridden and there is no file', () => {
  assert.equal(parseRunArgs([]), { ok: true, args: { overrides: [] } })
})

const misuses: [string[], string][] = [
  [['--listn', 'x'], 'unknown flag "--listn"; did you mean --listen?'],
  [['-listen', 'x'], 'unknown flag "-listen"; did you mean --listen?'],
  [['--cluster_domain=x'], 'unknown flag "--cluster_domain"; did you mean --cluster-domain?'],
  [['--frobnicate'], 'unknown flag "--frobnicate"; neardns --help lists all flags'],
  [['--constructor=1'], 'unknown flag "--constructor"; neardns --help lists all flags'],
  [['--listen'], '--listen needs a value: --listen IP:PORT'],
  [['--listen='], '--listen needs a value: --listen IP:PORT'],
  [['--config', '--listen', 'x'], '--config needs a value: --config FILE'],
  [['--io', 'a', '--io', 'b'], '--io is given twice; it may be given once'],
  [['10.0.0.1'], 'run takes flags only, got "10.0.0.1"; see neardns --help'],
  [['--', '--listen'], 'run takes flags only, got "--listen"; see neardns --help'],
]
for (const [argv, line] of misuses) {
  test(`${argv.join(' ')} is answered by a line that helps`, () => {
    assert.is(why(argv), line)
  })
}

test('the help fits one screen and names every flag and verb', () => {
  const lines = helpText.trimEnd().split('\n')
  assert.ok(lines.length <= 24, String(lines.length))
  for (const line of lines) assert.ok(line.length <= 80, line)
  const flags = [
    '--config',
    '--listen',
    '--cluster-domain',
    '--cluster-upstream',
    '--upstream',
    '--admin',
  ]
  for (const word of [
    ...flags,
    '--log-level',
    '--io',
    'run',
    'validate',
    'query',
    'demo',
    '--server',
    '--tcp',
  ]) {
    assert.ok(helpText.includes(word), word)
  }
})

test.run()
