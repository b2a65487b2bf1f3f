/**
 * Goal: through the Corefiles of NodeLocal DNSCache neardns says what CoreDNS says, whose plugins in this order are node-cache's, but for what
 * docs/nodelocal-differences.md lists. Method: the same questions at random to both before the same servers; replies are compared in RCODE, answer
 * set, SOA of denials and TTL. `npm run test:nodelocal-long` asks 3,000 questions through each Corefile.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../fuzz/random.ts'
import type { ReadMessage } from '../../support/client/dns-message.ts'
import { overlapping } from '../../support/lab/overlap.ts'
import { needing, needs } from '../../support/needs.ts'
import { differences, type Pair } from './agreement.ts'
import { type Allowance, allowances } from './allowances.ts'
import { type Form, forms } from './forms.ts'
import { Programs } from './programs.ts'
import { drawQuestion, type Question, World } from './world.ts'

const isLong = process.env['NEARDNS_NODELOCAL_LONG'] === '1'
const questionsPerForm = isLong ? 3000 : 240
const seed = Number(process.env['NEARDNS_NODELOCAL_SEED'] ?? 20_261_130)

export const testTimeoutMs = isLong ? 600_000 : 90_000

const test = needing(suite('real/nodelocal'), 'coredns')
const beside = overlapping(test)

/** Left cells of the page's tables. */
const rows = readFileSync(
  new URL('../../../docs/nodelocal-differences.md', import.meta.url),
  'utf8',
)
  .split('\n')
  .map((line) => line.split(' | ')[0]?.replace(/^\| /, ''))

test('each allowed difference is a row of the page', () => {
  for (const { row } of allowances) assert.ok(rows.includes(row), row)
})

for (const [index, form] of forms.entries()) {
  beside(`${form.name}: the answers are CoreDNS's`, async () => {
    if (!needs('coredns')) return
    const world = await World.start()
    let programs: Programs | undefined
    try {
      programs = await Programs.start(form, world)
      const random = new Random(seed + index)
      const used = new Map<Allowance, number>()
      const found: string[] = []
      const said = new Map<string, ReadMessage>()
      const names = new Set<string>()
      for (let i = 0; i < questionsPerForm; i++) {
        const question = drawQuestion(random, form.names ?? [])
        const { name, types } = livesOf(form, question)
        const replies = await programs.ask(question)
        const before = types.flatMap((type) => said.get(`${name} ${type}`) ?? [])
        const pair = { form: form.name, question, ...replies, before, isKnownName: names.has(name) }
        const key = `${name} ${question.type}`
        names.add(name)
        if (!said.has(key)) said.set(key, replies.theirs)
        for (const what of differences(pair)) {
          const allowance = allowances.find(({ covers }) => covers(pair, what))
          if (allowance === undefined) found.push(`${what}: ${textOf(pair)}`)
          else used.set(allowance, (used.get(allowance) ?? 0) + 1)
        }
      }
      const counts = [...used].map(([{ row }, count]) => `${count} × ${row}`)
      console.log(
        `  ${form.name}: ${questionsPerForm} questions; ${counts.join('; ') || 'all the same'}`,
      )
      assert.is(found.length, 0, `${found.length}:\n${found.slice(0, 20).join('\n')}`)
    } finally {
      await programs?.stop()
      await world.stop()
    }
  })
}

test.run()

/**
 * Under which name, and for which types, CoreDNS has one cached answer for this question and others: the second is told as old as the first.
 * `rewrite` and `dns64` are in front of its cache; `dns64` asks for A when AAAA is asked for.
 */
function livesOf(form: Form, { name: asked, type }: Question) {
  const lower = asked.toLowerCase()
  const name = form.keptAs?.[lower] ?? lower
  const isMade = form.name.startsWith('dns64') && !/[.]cluster[.]local$|[.]arpa$/.test(name)
  const types = isMade && (type === 'A' || type === 'AAAA') ? ['A', 'AAAA'] : [type]
  return { name, types }
}

function textOf({ question, theirs, ours, before }: Pair): string {
  const [their, our] = [theirs, ours].map(
    ({ rcode, tc, answers, authorities }) =>
      `${rcode}${tc ? ' TC' : ''} ${[...answers, ...authorities].map(({ name, type, ttl, data }) => `${name} ${ttl} ${type} ${data.slice(0, 60)}`).join(', ')}`,
  )
  return `${describe(question)}${before.length === 0 ? '' : ' again'}\n  CoreDNS: ${their}\n  neardns: ${our}`
}

function describe({ name, type, ednsBytes, overTcp }: Question): string {
  return `${name} ${type}${ednsBytes === undefined ? '' : ` EDNS ${ednsBytes}`}${overTcp ? ' TCP' : ''}`
}
