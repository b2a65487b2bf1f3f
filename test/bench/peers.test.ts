/**
 * Goal: the comparison compares what it says: each server starts as configured and answers by the truth of the benches, and the
 * load generator notices when one does not. Method: the real programs, a few hundred queries each, on one CPU.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startAuthority, startContestant } from '../../bench/comparison/field.ts'
import { allContestants } from '../../bench/peers/all.ts'
import { load } from '../../bench/support/load.ts'
import { startProgram } from '../../bench/support/programs.ts'
import { floodNames, knownNames, podTraffic, writeQueries } from '../../bench/support/query-mix.ts'
import { unwrapped } from '../../bench/support/servers.ts'
import { askUdp } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { freePort } from '../support/free-port.ts'
import { needing } from '../support/needs.ts'

const cpu = 0
const ttlMaxSeconds = 30

const tools = needing(suite<{ directory: string }>('bench/load', { directory: '' }), 'gcc')
tools.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'neardns-bench-test-'))
  writeQueries(join(context.directory, 'queries'), podTraffic(200, 1))
})
tools.after(({ directory }) => rmSync(directory, { recursive: true, force: true }))

tools('the authority says byte by byte what the generator expects', async ({ directory }) => {
  const { port, child } = await startAuthority({ loadCpu: cpu, ttlMaxSeconds })
  const queryFile = join(directory, 'queries')
  const spec = { port, queryFile, seconds: 5, cpu, once: true, ttlMaxSeconds }
  const { sent, received, wrong } = await load({ ...spec, check: 'strict' })
  await child.stop()
  assert.ok(sent >= 200)
  assert.equal([received, wrong], [sent, 0])
})

tools('names that begin with many- have 2 to 250 addresses, all different', async () => {
  const { port, child } = await startAuthority({ loadCpu: cpu, ttlMaxSeconds })
  const counts: number[] = []
  for (let i = 0; i < 40; i++) {
    const query = writeQuery(`many-u${i}.team-1.svc.cluster.local`, 'A')
    const reply = await askUdp({ host: '127.0.0.1', port }, query)
    const addresses = readMessage(reply ?? Buffer.alloc(0)).answers.map(({ data }) => data)
    assert.is(new Set(addresses).size, addresses.length)
    counts.push(addresses.length)
  }
  await child.stop()
  assert.ok(
    counts.every((count) => count >= 2 && count <= 250),
    counts.join(' '),
  )
  assert.ok(Math.max(...counts) > 100, counts.join(' '))
})

tools(
  'a flood has as many queries as it is told to, each with a name of its own',
  async ({ directory }) => {
    const { port, child } = await startAuthority({ loadCpu: cpu, ttlMaxSeconds })
    const queryFile = join(directory, 'flood')
    writeQueries(queryFile, floodNames(), 1)
    const report = await load({ port, queryFile, seconds: 20, cpu, total: 1001, uniqueFrom: 5 })
    await child.stop()
    const { sent, received, wrong, nextUnique } = report
    assert.equal([sent, received, wrong, nextUnique], [1001, 1001, 0, 1006])
  },
)

tools('the generator calls it wrong when its own query comes back', async ({ directory }) => {
  const port = await freePort()
  const echo = await startProgram('echo', [String(port)], unwrapped)
  // Names with an address: the echo of a query for nothing looks like the right answer.
  const queryFile = join(directory, 'known')
  writeQueries(queryFile, knownNames(200))
  const { received, wrong } = await load({ port, queryFile, seconds: 5, cpu, once: true })
  await echo.stop()
  assert.equal([received, wrong], [200, 200])
})
tools.run()

const peers = needing(
  suite('bench/peers'),
  ...(['gcc', 'coredns', 'unbound', 'dnsdist', 'dnsmasq', 'pdns-recursor'] as const),
  'knot-resolver',
)

peers('each starts as it is configured for the comparison, and answers right', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-bench-test-'))
  const queryFile = join(directory, 'queries')
  writeQueries(queryFile, knownNames(200), 2)
  const { port: upstreamPort, child: authority } = await startAuthority({
    loadCpu: cpu,
    ttlMaxSeconds,
  })
  const plan = { serverCpus: [cpu], loadCpu: cpu, directory, ttlMaxSeconds, entriesMax: 10_000 }
  const present = allContestants.filter(({ missing }) => missing() === undefined)
  const starting = present.map((each) => startContestant(each, plan, { upstreamPort }))
  const started = await Promise.allSettled(starting)
  const runners = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  try {
    assert.equal(
      started.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])),
      [],
    )
    for (const { contestant, port } of runners) {
      const check = contestant.isEcho === true ? 'none' : 'loose'
      const spec = { port, queryFile, seconds: 5, cpu, once: true, check } as const
      // Few at once: Knot Resolver fails what exceeds a hundred on one TCP connection.
      const report = await load({ ...spec, window: 32 })
      const { received, wrong, servfail } = report
      assert.equal([received, wrong, servfail], [200, 0, 0], contestant.name)
    }
  } finally {
    await Promise.all([authority, ...runners.map(({ child }) => child)].map((each) => each.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
})
peers.run()
