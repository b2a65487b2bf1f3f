// Goal: the flags of run become settings, and every misuse is answered by one line that helps.
// Method: argument lists against the parsed result or the literal complaint.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRunArgs } from '../../../src/cli/command-line/run-arguments.ts'

const test = suite('cli/command-line/run-arguments')

function why(argv: string[]): string {
  const parsed = parseRunArgs(argv)
  return parsed.ok ? 'ok' : parsed.why
}

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
  [['--frobnicate'], 'unknown flag "--frobnicate"; neardns run --help lists all flags'],
  [['--constructor=1'], 'unknown flag "--constructor"; neardns run --help lists all flags'],
  [['--listen'], '--listen needs a value: --listen IP:PORT'],
  [['--listen='], '--listen needs a value: --listen IP:PORT'],
  [['--config', '--listen', 'x'], '--config needs a value: --config FILE'],
  [['--io', 'a', '--io', 'b'], '--io is given twice; it may be given once'],
  [['10.0.0.1'], 'run does not take the word "10.0.0.1": neardns run [flags]'],
  [['--', '--listen'], 'run does not take the word "--listen": neardns run [flags]'],
]
for (const [argv, line] of misuses) {
  test(`${argv.join(' ')} is answered by a line that helps`, () => {
    assert.is(why(argv), line)
  })
}

test.run()
