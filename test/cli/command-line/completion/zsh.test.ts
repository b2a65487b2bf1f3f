// Goal: the script for zsh has every verb, flag and known word, in quotes that zsh reads as they are meant.
// Method: the text against the definitions; and read by the real zsh, where there is one.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { zshCompletion } from '../../../../src/cli/command-line/completion/zsh.ts'
import { verbs } from '../../../../src/cli/command-line/verbs.ts'
import { programPath } from '../../../support/needs.ts'

const test = suite('cli/command-line/completion/zsh')
const script = zshCompletion(verbs)

test('words, flags and values read so', () => {
  for (const line of [
    "    'query:ask a server as a pod would, and print the reply'",
    "        '--server=[whom to ask]:IP\\:PORT: '",
    "        '--tcp[over TCP; else over UDP first]'",
    "        '*--listen=[address to serve]:IP\\:PORT: '",
    "        '--config=[configuration (YAML)]:FILE:_files'",
    "        '2::TYPE:(A AAAA CNAME HTTPS MX NS PTR SOA SRV TXT)'",
  ]) {
    assert.ok(script.includes(line), line)
  }
})

if (programPath('zsh') !== undefined) {
  test('zsh reads it', () => {
    const ran = spawnSync('zsh', ['-n'], { input: script, encoding: 'utf8' })
    assert.equal([ran.status, ran.stderr], [0, ''])
  })
}

test.run()
