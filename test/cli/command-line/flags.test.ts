// Goal: arguments are split as a person means them, and each mistake is told with what was wrong and what would be right.
// Method: argument lists against flags and words, or against the literal complaint.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FlagRule, readFlags } from '../../../src/cli/command-line/flags.ts'

const test = suite('cli/flags')

const rules: Readonly<Record<string, FlagRule>> = {
  '--config': { value: 'FILE' },
  '--listen': { value: 'IP:PORT', repeats: true },
  '--tcp': {},
}

const lists: [string[], [string, string][], string[]][] = [
  [[], [], []],
  [['--config', 'a.yaml'], [['--config', 'a.yaml']], []],
  [['--config=a.yaml'], [['--config', 'a.yaml']], []],
  [['--config=a=b'], [['--config', 'a=b']], []],
  [['--config', 'a=b'], [['--config', 'a=b']], []],
  [['--config=--tcp'], [['--config', '--tcp']], []],
  [['--config', '-x'], [['--config', '-x']], []],
  [['--config', '-'], [['--config', '-']], []],
  [['--tcp', 'word'], [['--tcp', '']], ['word']],
  [
    ['one', '--listen', 'a', 'two', '--listen=b', '--tcp'],
    [
      ['--listen', 'a'],
      ['--listen', 'b'],
      ['--tcp', ''],
    ],
    ['one', 'two'],
  ],
  [['--tcp', '--', '--config', '-', '--'], [['--tcp', '']], ['--config', '-', '--']],
  [['', 'word'], [], ['', 'word']],
]
for (const [argv, flags, words] of lists) {
  test(`${JSON.stringify(argv)} is split as meant`, () => {
    const named = flags.map(([name, value]) => ({ name, value }))
    assert.equal(readFlags(argv, rules), { ok: true, flags: named, words })
  })
}

const mistakes: [string[], string][] = [
  [['--confg', 'x'], 'unknown flag "--confg"; did you mean --config?'],
  [['--confg=x'], 'unknown flag "--confg"; did you mean --config?'],
  [['--Config=x'], 'unknown flag "--Config"; did you mean --config?'],
  [['-config', 'x'], 'unknown flag "-config"; did you mean --config?'],
  [['-tcp=x'], 'unknown flag "-tcp"; did you mean --tcp?'],
  [['---tcp'], 'unknown flag "---tcp"; did you mean --tcp?'],
  [['--no-tcp'], 'unknown flag "--no-tcp"; did you mean --tcp?'],
  [['--frobnicate'], 'unknown flag "--frobnicate"; neardns --help lists all flags'],
  [['-z'], 'unknown flag "-z"; neardns --help lists all flags'],
  [['-'], 'unknown flag "-"; neardns --help lists all flags'],
  [['--=x'], 'unknown flag "--"; neardns --help lists all flags'],
  [['--__proto__=x'], 'unknown flag "--__proto__"; neardns --help lists all flags'],
  [['--toString'], 'unknown flag "--toString"; neardns --help lists all flags'],
  [['--config'], '--config needs a value: --config FILE'],
  [['--config='], '--config needs a value: --config FILE'],
  [['--config', ''], '--config needs a value: --config FILE'],
  [['--config', '--tcp'], '--config needs a value: --config FILE'],
  [['--config', '--', 'x'], '--config needs a value: --config FILE'],
  [['--listen', '--listen=a'], '--listen needs a value: --listen IP:PORT'],
  [['--tcp=yes'], '--tcp takes no value, got "yes"'],
  [['--tcp='], '--tcp takes no value, got ""'],
  [['--tcp', '--tcp'], '--tcp is given twice; it may be given once'],
  [['--config=a', 'w', '--config', 'a'], '--config is given twice; it may be given once'],
  [['--confg', '--config'], 'unknown flag "--confg"; did you mean --config?'],
]
for (const [argv, why] of mistakes) {
  test(`${JSON.stringify(argv)} is a mistake that is told`, () => {
    assert.equal(readFlags(argv, rules), { ok: false, why })
  })
}

test.run()
