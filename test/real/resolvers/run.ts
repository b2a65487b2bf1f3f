/**
 * `npm run test:resolvers [-- PART ...]`: every case with every server that is there, or those with PART in their topic or
 * name. Prints a line for each and, when all servers were there, keeps the results in docs/interoperability.json, of
 * which `npm run docs` makes the page; what was not played stays there as it was.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Case, Topic } from './case.ts'
import { allCases } from './cases/all.ts'
import type { CaseResult, Results } from './page.ts'
import { play, type Verdict } from './play.ts'
import { servers } from './servers/all.ts'
import type { Server } from './servers/server.ts'

const resultsFile = join(import.meta.dirname, '../../../docs/interoperability.json')
/** Most of a case is waiting. More at once would make servers slow, and that is not what is asked here. */
const besideMax = 3

const signs = { right: 'right', wrong: 'WRONG', 'not asked': '-' } as const

async function main(parts: readonly string[]): Promise<void> {
  const present = servers.filter((server) => server.missing() === undefined)
  for (const server of servers) {
    if (!present.includes(server)) console.log(`without ${server.name}: ${server.missing()}`)
  }
  const chosen = Object.entries(allCases).flatMap(([topic, cases]) =>
    cases
      .filter(
        ({ name }) =>
          parts.length === 0 || parts.some((part) => `${topic}: ${name}`.includes(part)),
      )
      .map((one) => ({ topic: topic as Topic, one })),
  )
  const results: CaseResult[] = []
  const queue = chosen.entries()
  const work = async () => {
    for (const [index, { topic, one }] of queue) results[index] = await playAll(topic, one, present)
  }
  await Promise.all(Array.from({ length: besideMax }, work))
  console.log(summary(results))
  if (present.length < servers.length) return
  const all: Results = {
    date: new Date().toISOString().slice(0, 10),
    servers: present.map((server) => ({
      name: server.name,
      about: server.about,
      version: server.version(),
    })),
    cases: allResults(results),
  }
  writeFileSync(resultsFile, `${JSON.stringify(all, undefined, 2)}\n`)
  console.log('kept in docs/interoperability.json; now: npm run docs')
}

async function playAll(topic: Topic, one: Case, present: readonly Server[]): Promise<CaseResult> {
  const verdicts: Record<string, Verdict> = {}
  for (const server of present) {
    const verdict = await play(one, server)
    verdicts[server.name] = verdict
    const seen = verdict.verdict === 'right' ? '' : `: ${verdict.seen}`
    console.log(`${topic}: ${one.name}: ${server.name} ${signs[verdict.verdict]}${seen}`)
  }
  const { name, source, wilful } = one
  return { topic, name, source, ...(wilful === undefined ? {} : { wilful }), verdicts }
}

/** In the order of the page; a case that was not played keeps what was recorded, if it was. */
function allResults(played: readonly CaseResult[]): CaseResult[] {
  const recorded = existsSync(resultsFile)
    ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Results).cases
    : []
  const names = Object.values(allCases).flatMap((cases) => cases.map(({ name }) => name))
  const of = (name: string) => [...played, ...recorded].find((one) => one.name === name)
  return names.flatMap((name) => of(name) ?? [])
}

/** How many are right, and each case that neardns alone, or with others, has wrong while some server has it right. */
function summary(results: readonly CaseResult[]): string {
  const count = (server: string, verdict: string) =>
    results.filter(({ verdicts }) => verdicts[server]?.verdict === verdict).length
  const totals = servers.map(
    ({ name }) => `${name} ${count(name, 'right')} right, ${count(name, 'wrong')} wrong`,
  )
  const lost = results.filter(({ verdicts }) => {
    const others = Object.entries(verdicts).filter(([name]) => name !== 'neardns')
    return (
      verdicts['neardns']?.verdict === 'wrong' &&
      others.some(([, { verdict }]) => verdict === 'right')
    )
  })
  return [
    `${results.length} cases: ${totals.join('; ')}`,
    ...lost.map(
      ({ name, wilful }) =>
        `neardns is wrong where another is right${wilful ? ' (on purpose)' : ''}: ${name}`,
    ),
  ].join('\n')
}

await main(process.argv.slice(2))
