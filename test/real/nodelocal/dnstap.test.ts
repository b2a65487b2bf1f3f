/**
 * Goal: a reader of dnstap that a Corefile names is told of the same clients by neardns as by CoreDNS, in full and without messages. Method: one Corefile for
 * both, each with an fstrm_capture over TCP of its own, whose files dnstap-ldns reads.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../../support/free-port.ts'
import { needing } from '../../support/needs.ts'
import { Child, mustRun } from '../../support/process.ts'
import { Programs } from './programs.ts'
import { type Question, World } from './world.ts'

const test = needing(suite('real/nodelocal/dnstap'), 'coredns', 'fstrm_capture', 'dnstap-ldns')

export const testTimeoutMs = 60_000

const questions: readonly Question[] = [
  { name: 'www.site.example', type: 'A', overTcp: false },
  { name: 'www.site.example', type: 'A', overTcp: true },
  { name: 'gone.site.example', type: 'AAAA', overTcp: false },
]

/** Of one message; absent where dnstap-ldns tells none. */
const fields = ['socket_protocol', 'query_address', 'identity', 'version'] as const

for (const full of ['full', '']) {
  test(`what the readers of both say, ${full || 'without messages'}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neardns-taps-'))
    const readers: Child[] = []
    const world = await World.start()
    let programs: Programs | undefined
    const files = ['theirs', 'ours'].map((name) => join(folder, name))
    try {
      const ports = [await freePort(), await freePort()]
      for (const [i, file] of files.entries()) {
        const place = ['-a', '127.0.0.1', '-p', String(ports[i])]
        const reader = new Child('fstrm_capture', [
          ...['-t', 'protobuf:dnstap.Dnstap', ...place, '-w', file, '-dddd'],
        ])
        readers.push(reader)
        await reader.line((line) => line.includes('opening TCP socket'), 5000)
      }
      const corefile = `.:LISTEN {
  bind 127.0.0.1
  dnstap tcp://127.0.0.1:TAP ${full} {
    identity node-7
    version one
  }
  cache 30
  forward . OUTSIDE
}
`
      programs = await Programs.start({ name: 'dnstap', corefile }, world, { TAP: ports })
      for (const question of questions) await programs.ask(question)
      // CoreDNS sends what it has each second.
      await new Promise((resolve) => setTimeout(resolve, 2500))
      await programs.stop()
      programs = undefined
      for (const reader of readers) await reader.stop('SIGTERM')
      const [theirs, ours] = await Promise.all(files.map(clientMessages))
      assert.is(theirs?.length, questions.length * 2)
      for (const one of theirs ?? []) assert.match(one, /CLIENT_.*127[.]0[.]0[.]1.*node-7.*one/)
      assert.match(theirs?.[0] ?? '', full ? /site[.]example[.] A+ true/ : / false$/)
      assert.equal(ours, theirs)
    } finally {
      await programs?.stop()
      await world.stop()
      for (const reader of readers) await reader.stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  })
}

/** What is told of clients, in order of type and transport; sizes and times differ. */
async function clientMessages(file: string): Promise<string[]> {
  const text = await mustRun('dnstap-ldns', ['-y', '-r', file])
  return text
    .split(/^---$/m)
    .filter((one) => one.includes('type: CLIENT_'))
    .map((one) => {
      const kind = /type: (CLIENT_\w+)/.exec(one)?.[1]
      const told = fields.map((field) => new RegExp(`^\\s*${field}: (.*)$`, 'm').exec(one)?.[1])
      const asked = /^\s*;?(\S+)\s+IN\s+(A|AAAA)\s*$/m.exec(one)
      return [kind, ...told, asked?.[1], asked?.[2], one.includes('opcode:')].join(' ')
    })
    .toSorted()
}

test.run()
