/*
 * Goal: several processes serve as one, and the death of one costs what it had in hand and no more. Method: daemons as child
 * processes whose workers are killed and stopped under load. NEARDNS_CRASHES=20 makes twenty (npm run test:upgrade-long).
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookup, type Server, TcpClient } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { tally, tallyText } from '../support/client/load.ts'
import { readExposition, type ScrapedFamily, sampleOf } from '../support/exposition.ts'
import { freePort } from '../support/free-port.ts'
import { UpgradeLab, type UpgradeOptions } from '../support/lab/upgrade-lab.ts'
import { Neardns } from '../support/neardns.ts'
import { needs } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { Agent } from '../support/world/agent.ts'

export const testTimeoutMs = 300_000

const crashes = Number(process.env['NEARDNS_CRASHES'] ?? 1)
const crashEveryMs = 2500
/**
 * A batch that was read and not answered. How long the others wait is another matter: with one worker until the next has started, which is
 * printed; a client's patience is not what is tested here.
 */
const inHandMax = 64

const test = suite('e2e/workers')

async function withLab(
  options: UpgradeOptions,
  body: (lab: UpgradeLab, agent: Agent) => Promise<void>,
): Promise<void> {
  const lab = await UpgradeLab.open(options)
  const agent = new Agent()
  try {
    await body(lab, agent)
  } finally {
    await agent.stop()
    await lab.close()
  }
}

/** Every worker has to meet every name: a client is dealt out by its port. */
async function warmAll(lab: UpgradeLab): Promise<void> {
  for (let round = 0; round < 8; round++) await lab.warm()
}

/** Process IDs of the workers. */
function workersOf(lab: UpgradeLab): number[] {
  const output = execFileSync('ps', ['-o', 'pid=', '--ppid', String(lab.serving.pid)], {
    encoding: 'utf8',
  })
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(Number)
}

async function scrape(lab: UpgradeLab): Promise<Map<string, ScrapedFamily>> {
  const response = await fetch(`http://127.0.0.1:${lab.adminPort}/metrics`)
  return readExposition(await response.text())
}

async function metric(lab: UpgradeLab, name: string): Promise<number> {
  const family = (await scrape(lab)).get(name)
  return (family?.series ?? []).reduce((sum, { value }) => sum + value, 0)
}

async function isReady(lab: UpgradeLab): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${lab.adminPort}/ready`)).status === 200
}

const setups = [
  { what: 'the only worker', queriesPerSecond: 2000, settings: { supervisor: 'always' } },
  {
    what: 'one of two workers',
    queriesPerSecond: 4000,
    settings: { workers: 2 },
  },
] as const

for (const { what, queriesPerSecond, settings } of setups) {
  test(`${what} is killed ${crashes} times at ${queriesPerSecond} q/s: what it had in hand is lost at most`, async () => {
    await withLab({ settings }, async (lab, agent) => {
      await warmAll(lab)
      const { server } = lab
      const count = (queriesPerSecond * (crashes * crashEveryMs + 2000)) / 1000
      const queries = lab.queries(count, 1e9)
      const load = { server, queriesPerSecond, queries, sockets: 32, lostAfterMs: 10_000 }
      const result = agent.call('load', load)
      const startMs = performance.now()
      for (let i = 0; i < crashes; i++) {
        const dueMs = startMs + 500 + i * crashEveryMs
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
        const [victim] = workersOf(lab)
        if (victim !== undefined) process.kill(victim, 'SIGKILL')
        await until('replaced', () => isReady(lab).catch(() => false), { timeoutMs: 20_000 })
        // One that dies again at once is not followed at once.
        await new Promise((resolve) => setTimeout(resolve, 1100))
      }
      const all = tally((await result).records)
      console.log(tallyText(`${what} killed ${crashes} times`, all))
      assert.equal([all.wrong, all.servfail], [0, 0])
      assert.ok(all.lost <= crashes * inHandMax, `${all.lost} lost`)
      assert.is(await metric(lab, 'neardns_worker_restarts_total'), crashes)
    })
  })
}

test('two workers: one page has the numbers of both, and a new group takes over without a loss', async () => {
  await withLab({ settings: { workers: 2 } }, async (lab, agent) => {
    assert.is(workersOf(lab).length, 2)
    await warmAll(lab)
    const { server } = lab
    const before = await metric(lab, 'coredns_dns_requests_total')
    const load = { server, queriesPerSecond: 2000, queries: lab.queries(8000, 1e9), sockets: 32 }
    const result = agent.call('load', load)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const agentsBefore = lab.upstream.queries.length
    await lab.upgrade()
    const all = tally((await result).records)
    console.log(tallyText('two workers followed by two', all))
    assert.equal([all.lost, all.wrong, all.servfail], [0, 0, 0])
    // Both of the new ones have got the cache of one of the old.
    assert.ok(lab.upstream.queries.length - agentsBefore < 50, 'the cache was lost')
    assert.ok(before >= 4000, `${before} queries counted before`)
    const refused = lab.serving.log().filter(({ msg }) => msg?.includes('not taken over'))
    assert.equal(refused, [])
    const page = await scrape(lab)
    assert.is(sampleOf(page, 'neardns_workers_ready'), 2)
    assert.is(sampleOf(page, 'neardns_handover_events_total', { event: 'followed' }), 1)
    assert.is(sampleOf(page, 'neardns_handover_events_total', { event: 'failed' }), 0)
    // Those of one worker, not of both. The load has one new name in it, which only one of the old ones has got; and which worker
    // a warming question reaches is the kernel's choice.
    const restored = sampleOf(page, 'neardns_handover_restored_entries') ?? 0
    const { length } = lab.hot
    assert.ok(restored > 0.95 * length && restored <= length + 1, `${restored} of ${length}`)
    assert.is(sampleOf(page, 'neardns_build_info'), 1)
    const processes = page.get('process_resident_memory_bytes')?.series ?? []
    assert.equal(processes.map(({ labels }) => labels.get('worker')).toSorted(), [
      '0',
      '1',
      'supervisor',
    ])
  })
})

test('what a worker had counted is not forgotten when it dies, and one that is silent is counted as it was', async () => {
  if (!needs('root')) return
  await withLab({ settings: { workers: 2 } }, async (lab) => {
    await warmAll(lab)
    const name = 'coredns_dns_requests_total'
    const before = await metric(lab, name)
    const [victim, silent] = workersOf(lab)
    if (victim === undefined || silent === undefined) throw new Error('there are no two workers')
    process.kill(victim, 'SIGKILL')
    await lab.serving.child.line((line) => line.includes('"why":"killed"'), 3000)
    await until('two again', () => isReady(lab).catch(() => false), { timeoutMs: 10_000 })
    const afterwards = await metric(lab, name)
    assert.ok(afterwards >= before, `${afterwards} after ${before}`)
    process.kill(silent, 'SIGSTOP')
    // Half of the connections are accepted by the silent one, and end with it when it is replaced.
    const asked = await Promise.allSettled(Array.from({ length: 4 }, () => metric(lab, name)))
    const pages = asked.flatMap((page) => (page.status === 'fulfilled' ? [page.value] : []))
    assert.ok(pages.length > 0)
    assert.ok(Math.min(...pages) >= afterwards, `${pages} after ${afterwards}`)
    const isReplaced = async () =>
      (await isReady(lab).catch(() => false)) && !workersOf(lab).includes(silent)
    await until('the silent one is replaced', isReplaced, { timeoutMs: 10_000 })
  })
})

/** Replies from as many client ports that no worker is left out, for all practical purposes. */
async function askAll(server: Server): Promise<void> {
  for (let i = 0; i < 16; i++) await lookup(server, `hot-${i}.example`, 'A')
}

test('listening and admin addresses change under load without a query lost, and the next worker knows them', async () => {
  await withLab({ settings: { workers: 2 } }, async (lab, agent) => {
    await warmAll(lab)
    const { server, adminPort } = lab
    const [extra, admin] = [await freePort(), await freePort()]
    const client = await TcpClient.open(server)
    const load = { server, queriesPerSecond: 2000, queries: lab.queries(8000, 100), sockets: 32 }
    const result = agent.call('load', load)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const changed = {
      listen: [`127.0.0.1:${server.port}`, `127.0.0.1:${extra}`],
      admin: { listen: `127.0.0.1:${admin}` },
    }
    assert.match(await lab.reconfigure(changed), /applied/)
    lab.adminPort = admin
    await askAll({ ...server, port: extra })
    await assertRefused(adminPort)
    client.send(writeQuery('hot-1.example', 'A', { id: 7 }))
    assert.is((await client.next())?.readUInt16BE(0), 7)
    // Whoever comes now gets the configuration in force, not what has been written since.
    const { child } = lab.serving
    const from = child.lines.length
    lab.write({ listen: 'nonsense' })
    // Seen in the file. Said later, it would be taken for the verdict on the next change.
    await child.line((line) => line.includes('the old one stays'), 10_000, from)
    const [victim] = workersOf(lab)
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
    await child.line((line) => line.includes('"why":"killed"'), 3000)
    await until('two again', () => isReady(lab).catch(() => false), { timeoutMs: 10_000 })
    await askAll({ ...server, port: extra })
    assert.match(
      await lab.reconfigure({ ...changed, listen: changed.listen.slice(0, 1) }),
      /applied/,
    )
    await assertRefused(extra)
    await client.close()
    const all = tally((await result).records)
    console.log(tallyText('two workers reconfigured, one killed', all))
    assert.equal([all.wrong, all.servfail], [0, 0])
    assert.ok(all.lost <= inHandMax, `${all.lost} lost`)
    const page = await scrape(lab)
    // Twice by signal; each change may have been seen in the file as well.
    assert.ok([2, 3, 4].includes(sampleOf(page, 'neardns_config_reloads_total')))
    assert.is(page.get('coredns_reload_version_info')?.series.length, 1)
  })
})

async function assertRefused(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  const refused = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(true))
    socket.once('connect', () => resolve(false))
  })
  socket.destroy()
  assert.ok(refused, `somebody still listens on ${port}`)
}

test('an address that cannot be had, and a wrong file, are refused by all workers at once, and counted once', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const takenPort = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await withLab({ settings: { workers: 2 } }, async (lab) => {
      const { server } = lab
      const own = `127.0.0.1:${server.port}`
      const extra = await freePort()
      const listen = [own, `127.0.0.1:${extra}`, `127.0.0.1:${takenPort}`]
      const refused = await lab.reconfigure({ listen }, { bySignal: false })
      assert.match(refused, new RegExp(`${takenPort}.*could not be applied`))
      // Not half of it either.
      await assertRefused(extra)
      const wrong = await lab.reconfigure({ listen: ['nonsense'] }, { bySignal: false })
      assert.match(wrong, /nonsense.*is wrong/)
      await askAll(server)
      const page = await scrape(lab)
      assert.is(sampleOf(page, 'coredns_reload_failed_total'), 2)
      assert.is(sampleOf(page, 'neardns_config_last_reload_successful'), 0)
      assert.is(sampleOf(page, 'neardns_config_reloads_total'), 0)
      await lab.reconfigure({ cache: { entriesMax: 1234 } }, { bySignal: false })
      const afterwards = await scrape(lab)
      assert.is(sampleOf(afterwards, 'neardns_cache_entries_max'), 1234)
      assert.is(sampleOf(afterwards, 'neardns_config_last_reload_successful'), 1)
    })
  } finally {
    taken.close()
    await once(taken, 'close')
  }
})

test('a configuration that is too long to be handed over is read by each worker, when one comes back too, and reloaded', async () => {
  const zones = Array.from({ length: 250 }, (_, i) => ({
    name: `z${i}.example`,
    upstreams: ['127.0.0.1:9'],
  }))
  await withLab({ settings: { workers: 2, zones } }, async (lab) => {
    await askAll(lab.server)
    const [victim] = workersOf(lab)
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
    await lab.serving.child.line((line) => line.includes('"why":"killed"'), 3000)
    await until('two again', () => isReady(lab).catch(() => false), { timeoutMs: 10_000 })
    await askAll(lab.server)
    assert.match(await lab.reconfigure({ cache: { entriesMax: 1234 } }), /applied/)
    // The worker that came back may be given its share after the line is written, and one that applies 250 zones has no readings meanwhile.
    const entriesMax = async () => sampleOf(await scrape(lab), 'neardns_cache_entries_max')
    await until('shares of both', async () => (await entriesMax().catch(() => 0)) === 1234)
    assert.is(sampleOf(await scrape(lab), 'coredns_reload_failed_total'), 0)
  })
})

test('a worker that hangs is replaced within four seconds, and its questions are answered', async () => {
  if (!needs('root')) return
  await withLab({ settings: { workers: 2 } }, async (lab) => {
    const [victim] = workersOf(lab)
    if (victim !== undefined) process.kill(victim, 'SIGSTOP')
    const startMs = performance.now()
    await lab.serving.child.line((line) => line.includes('"why":"hung"'), 6000)
    assert.ok(performance.now() - startMs < 4000)
    for (let i = 0; i < 20; i++) await lookup(lab.server, `hot-${i}.example`, 'A')
    await until('two again', () => isReady(lab).catch(() => false), { timeoutMs: 10_000 })
  })
})

test('an end that is asked for while the workers start comes in order', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-workers-'))
  const file = join(directory, 'neardns.yaml')
  const listen = `127.0.0.1:${await freePort()}`
  writeFileSync(file, JSON.stringify({ listen: [listen], workers: 2 }))
  const { child } = Neardns.spawn({ args: ['--config', file] })
  await child.line((line) => line.includes('supervisor starting'), 10_000)
  assert.equal(await child.stop('SIGTERM', 15_000), { code: 0, signal: null })
  rmSync(directory, { recursive: true })
})

test.run()
