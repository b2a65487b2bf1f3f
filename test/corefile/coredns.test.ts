// Goal: our reader of Corefiles and CoreDNS agree on what a Corefile is.
// Method: every fixture is given to the CoreDNS program. A block put in front has the mistake that CoreDNS meets last
// of all (`nomad` is the last of its directives), so "only that one" means that all the rest was accepted, and no
// server is ever started.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corednsPath, needs } from '../support/needs.ts'
import { Child } from '../support/process.ts'
import { type CorefileFolder, corefileFixtures } from './fixtures.ts'

const test = suite('corefile/coredns')
const there = needs('coredns')

for (const [folder, accepted] of [
  ['trusted', true],
  ['doubted', true],
  ['broken', false],
  ['retired', false],
] satisfies [CorefileFolder, boolean][]) {
  for (const { name, text } of corefileFixtures(folder)) {
    if (!there) {
      test.skip(name)
      continue
    }
    test(`CoreDNS ${accepted ? 'accepts' : 'refuses'} ${name}`, async () => {
      const said = await complaint(text)
      assert.is(said.includes(lastMistake), accepted, said)
    })
  }
}

const lastMistake = "unknown property 'neardns-has-read-all'"

/** For `{$NAME}` in the fixtures. */
const environment = {
  CACHE_SECONDS: '30',
  DOMAIN: 'cluster.local',
  FILE: '/dev/null',
  POD_IP: '127.0.0.1',
  REVERSE: 'in-addr.arpa',
  ZONE: 'a.example',
}

/** What CoreDNS says last; `lastMistake` when it found nothing else wrong. */
async function complaint(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-corefile-'))
  const corefile = join(directory, 'Corefile')
  await writeFile(
    corefile,
    `last.invalid:1 {\nnomad {\nneardns-has-read-all\n}\n}\n${reachable(text)}`,
  )
  const child = new Child(corednsPath() ?? 'coredns', ['-conf', corefile], { env: environment })
  try {
    const exit = await child.exited
    assert.is(exit.code, 1, child.lines.join('\n'))
    return child.lines.at(-1) ?? ''
  } finally {
    await child.stop('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
}

/** Outside of a cluster `kubernetes` needs to be told an API server; it is not asked before CoreDNS starts. */
function reachable(text: string): string {
  const endpoint = 'endpoint http://127.0.0.1:1'
  return text.replace(/^\s*kubernetes\b.*$/gm, (line) => {
    const words = line.replace(/ #.*$/, '').trimEnd()
    return words.endsWith(' {') ? `${words}\n${endpoint}` : `${words} {\n${endpoint}\n}`
  })
}

test.run()
