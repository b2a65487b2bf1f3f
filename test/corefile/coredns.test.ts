// Goal: our reader of Corefiles and CoreDNS agree on what a Corefile is.
// Method: every fixture is given to the CoreDNS program (support/coredns-complaint.ts); no server is ever started.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corednsComplaint, lastMistake } from '../support/coredns-complaint.ts'
import { needs } from '../support/needs.ts'
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
      const said = await corednsComplaint(reachable(text), { env: environment })
      assert.is(said.includes(lastMistake), accepted, said)
    })
  }
}

/** For `{$NAME}` in the fixtures. */
const environment = {
  CACHE_SECONDS: '30',
  DOMAIN: 'cluster.local',
  FILE: '/dev/null',
  POD_IP: '127.0.0.1',
  REVERSE: 'in-addr.arpa',
  ZONE: 'a.example',
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
