/*
 * Goal: a process takes the place of another without a query lost, failed or answered wrong, and without the cache getting cold; whatever
 * goes wrong on the way, the one that serves goes on. Method: daemons as child processes, load from a process of its own, an upstream here
 * that counts what reaches it. NEARDNS_UPGRADES=20 makes twenty at 10,000 q/s (npm run test:upgrade-long).
 */
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookup, TcpClient } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'
import { tally, tallyText } from '../support/client/load.ts'
import type { TcpLoadResult } from '../support/client/tcp-load.ts'
import { UpgradeLab, type UpgradeOptions } from '../support/lab/upgrade-lab.ts'
import { needs } from '../support/needs.ts'
import { Child, mustRun, until } from '../support/process.ts'
import { Agent } from '../support/world/agent.ts'

export const testTimeoutMs = 300_000

const upgrades = Number(process.env['NEARDNS_UPGRADES'] ?? 3)
const isLong = upgrades > 3
/** Answers that are looked at one by one. In the long run dnsperf sends ten times as many besides, which this could not. */
const queriesPerSecond = isLong ? 1000 : 5000
const besides = isLong ? 10_000 : 0
/** From one upgrade to the next; a start takes most of a second. */
const upgradeEveryMs = isLong ? 2500 : 2000

const test = suite('e2e/upgrade')

async function withLab(
  body: (lab: UpgradeLab) => Promise<void>,
  options: UpgradeOptions = {},
): Promise<void> {
  const lab = await UpgradeLab.open(options)
  try {
    await body(lab)
  } finally {
    await lab.close()
  }
}

test(`${upgrades} upgrades at ${besides + queriesPerSecond} q/s over UDP, and TCP clients: nothing is lost`, async () => {
  if (isLong && !needs('dnsperf')) return
  await withLab(async (lab) => {
    await lab.warm()
    const agents = [new Agent(), new Agent()] as const
    try {
      const { server, hot: queries } = lab
      let isDone = false
      const udp = rounds(
        () => !isDone,
        () => {
          const some = lab.queries(2 * queriesPerSecond, 100)
          return agents[0].call('load', { server, queriesPerSecond, queries: some, sockets: 32 })
        },
      )
      const clients = { kept: 10, everyMs: 20, freshPerSecond: 50 }
      const tcp = rounds(
        () => !isDone,
        () => agents[1].call('tcpLoad', { server, queries, durationMs: 6000, ...clients }),
      )
      const perf = besides > 0 ? startDnsperf(lab, besides) : undefined
      const startMs = performance.now()
      for (let i = 0; i < upgrades; i++) {
        const dueMs = startMs + 500 + i * upgradeEveryMs
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
        await lab.upgrade()
      }
      const tookMs = performance.now() - startMs
      isDone = true
      if (perf !== undefined) await checkDnsperf(perf)
      const loads = await udp
      const all = tally(loads.flatMap(({ records }) => records))
      const lagMaxMs = Math.max(...loads.map((load) => load.lagMaxMs))
      const onTcp = total(await tcp)
      console.log(tallyText(`UDP over ${upgrades} upgrades`, all))
      console.log(`generator at most ${lagMaxMs.toFixed(0)} ms late; TCP ${JSON.stringify(onTcp)}`)
      console.log(`cached names asked again: ${lab.hotAskedAgain} of ${queries.length}`)
      assert.equal([all.lost, all.servfail, all.wrong], [0, 0, 0])
      const { lost, failed, wrong, servfail, closed } = onTcp
      assert.equal({ lost, failed, wrong, servfail, closed }, nothing)
      assert.ok(onTcp.sent > tookMs / 20, `${onTcp.sent} over TCP`)
      assert.is(lab.hotAskedAgain, 0)
    } finally {
      for (const agent of agents) await agent.stop()
    }
  })
})

/** One round of load after another until the upgrades are done, however long they take on a busy machine. */
async function rounds<R>(goOn: () => boolean, round: () => Promise<R>): Promise<R[]> {
  const results: R[] = []
  while (goOn()) results.push(await round())
  return results
}

function total(results: readonly TcpLoadResult[]): TcpLoadResult {
  const sum = { sent: 0, right: 0, wrong: 0, servfail: 0, lost: 0, failed: 0, closed: 0 }
  for (const result of results) {
    for (const key of Object.keys(sum) as (keyof TcpLoadResult)[]) sum[key] += result[key]
  }
  return sum
}

/** The cached names again and again, until it is interrupted. */
function startDnsperf(lab: UpgradeLab, rate: number): Child {
  const file = join(tmpdir(), `neardns-hot-${process.pid}.txt`)
  writeFileSync(file, lab.hot.map(({ name }) => `${name} A\n`).join(''))
  const at = ['-s', lab.server.host, '-p', String(lab.server.port), '-d', file]
  const load = ['-Q', String(rate), '-l', '600', '-c', '32', '-q', '20000', '-t', '5']
  return new Child('dnsperf', [...at, ...load])
}

async function checkDnsperf(perf: Child): Promise<void> {
  // What it gave up on when it is interrupted does not count as lost: its patience is 5 s.
  await new Promise((resolve) => setTimeout(resolve, 6000))
  await perf.stop('SIGINT', 10_000)
  const lines = perf.lines.filter((line) =>
    /sent|completed|lost|codes|per second|Latency/.test(line),
  )
  console.log(lines.map((line) => line.trim()).join('; '))
  const lost = lines.find((line) => line.includes('lost')) ?? ''
  assert.match(lost, /lost:\s+0 /)
  assert.match(lines.find((line) => line.includes('codes')) ?? '', /NOERROR \d+ \(100\.00%\)/)
}

const nothing = { lost: 0, failed: 0, wrong: 0, servfail: 0, closed: 0 }

test('a connection of a client goes on in the next process, its age and its answers too', async () => {
  await withLab(async (lab) => {
    await lookup(lab.server, 'hot-1.example', 'A')
    const client = await TcpClient.open(lab.server)
    client.send(writeQuery('hot-1.example', 'A', { id: 1 }))
    assert.is((await client.next())?.readUInt16BE(0), 1)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await lab.upgrade()
    client.send(writeQuery('hot-1.example', 'A', { id: 2 }))
    assert.is((await client.next())?.readUInt16BE(0), 2)
    const aged = await lookup(lab.server, 'hot-1.example', 'A')
    assert.ok((aged.answers[0]?.ttl ?? 0) < 3600, `TTL ${aged.answers[0]?.ttl}`)
    assert.is(lab.upstream.queries.length, 1)
    await client.close()
  })
})

test('a successor that dies before it serves changes nothing', async () => {
  await withLab(async (lab) => {
    await lab.warm()
    const link = connect(`\0${lab.meetingPoint}`)
    link.write('{"neardns":1,"want":"sockets"}\n')
    await lab.serving.child.line((line) => line.includes('a successor has come'), 3000)
    link.write('{"state":"serving"}\n')
    await new Promise((resolve) => link.once('data', resolve))
    link.destroy()
    await lab.serving.child.line((line) => line.includes('we serve on'), 3000)
    await lookup(lab.server, 'hot-3.example', 'A')
    await lab.upgrade()
    await lookup(lab.server, 'hot-4.example', 'A')
    assert.is(lab.hotAskedAgain, 0)
  })
})

test('a process that waits serves again at once when its successor is killed, and when that one is asked to end', async () => {
  const settings = (lab: UpgradeLab) => ({ server: lab.server, queriesPerSecond: 1000, sockets: 4 })
  await withLab(
    async (lab) => {
      await lab.warm()
      const agent = new Agent()
      try {
        const first = await lab.follow()
        const load = agent.call('load', { ...settings(lab), queries: lab.queries(3000, 1e9) })
        await new Promise((resolve) => setTimeout(resolve, 500))
        await lab.serving.child.stop('SIGKILL')
        await first.child.line((line) => line.includes('we serve again'), 3000)
        lab.serving = first
        const { records } = await load
        const killed = tally(records)
        console.log(tallyText('successor killed', killed))
        // What it had read and not answered yet.
        assert.ok(killed.lost <= 5, `${killed.lost} lost`)
        assert.equal([killed.servfail, killed.wrong], [0, 0])

        assert.is(await lab.follow(), first)
        const second = agent.call('load', { ...settings(lab), queries: lab.queries(3000, 1e9) })
        await new Promise((resolve) => setTimeout(resolve, 500))
        assert.is((await lab.serving.child.stop('SIGTERM')).code, 0)
        lab.serving = first
        const ended = tally((await second).records)
        console.log(tallyText('successor asked to end', ended))
        assert.equal([ended.lost, ended.servfail, ended.wrong], [0, 0, 0])
        assert.is(lab.hotAskedAgain, 0)
      } finally {
        await agent.stop()
      }
    },
    { wait: true },
  )
})

test('a process of another user gets nothing', async () => {
  if (!needs('root')) return
  await withLab(async (lab) => {
    const script = `const s=require('net').connect('\\0${lab.meetingPoint}',()=>s.write('{"neardns":1,"want":"cache"}\\n'));let n=0;s.on('data',(d)=>{n+=d.length});s.on('close',()=>console.log('octets',n));s.on('error',()=>{})`
    const node = [process.execPath, '-e', script]
    const output = await mustRun('setpriv', ['--reuid', '65534', '--clear-groups', ...node])
    assert.match(output, /octets 0/)
    await lab.serving.child.line((line) => line.includes('user 65534'), 3000)
  })
})

test('without hand-over a second process on the port fails with one line', async () => {
  await withLab(
    async (lab) => {
      const second = lab.spawn()
      const { code } = await second.child.exited
      const lines = second.child.lines.filter((line) => !line.startsWith('{'))
      assert.is.not(code, 0)
      assert.is(lines.length, 1, lines.join('\n'))
      assert.match(lines[0] ?? '', /another process has this port/)
      await lookup(lab.server, 'hot-1.example', 'A')
    },
    { none: true },
  )
})

test('metrics and probes are answered throughout', async () => {
  await withLab(async (lab) => {
    let answered = 0
    let stop = false
    const scraping = (async () => {
      while (!stop) {
        const response = await fetch(`http://127.0.0.1:${lab.adminPort}/metrics`)
        assert.is(response.status, 200)
        await response.text()
        answered += 1
      }
    })()
    await lab.upgrade()
    await lab.upgrade()
    stop = true
    await scraping
    assert.ok(answered > 10, `${answered} scrapes`)
    await until('ready', async () => {
      const response = await fetch(`http://127.0.0.1:${lab.adminPort}/ready`)
      return response.status === 200
    })
  })
})

test.run()
