/**
 * Goal: what `neardns rehearse` foretells is what the switch brings: every query seen, no difference without a reason, the saving within
 * 5 %. Method: a pod's load through a CoreDNS configured as NodeLocal DNSCache, and a rehearsal beside it; then the same load through
 * neardns; the cluster's CoreDNS counts both by its own metrics. Then pods that ask CoreDNS itself, while Services come and go.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Report } from '../../../src/rehearsal/report.ts'
import { builtProgram } from '../../support/built-program.ts'
import { Coredns } from '../../support/coredns.ts'
import {
  type Counts,
  clusterPort,
  externalPort,
  type Middle,
  SearchLab,
  since,
} from '../../support/lab/search-lab.ts'
import type { LoadModel, LoadReport } from '../../support/lab/search-load.ts'
import { needing } from '../../support/needs.ts'
import { Child } from '../../support/process.ts'
import { Agent } from '../../support/world/agent.ts'
import { MovingServices, movingClusterIp } from '../../support/world/moving-services.ts'
import { Netns, nodeAddress } from '../../support/world/netns.ts'

export const testTimeoutMs = 180_000

const test = needing(suite('real/rehearse'), 'coredns', 'netns', 'setpriv')

const tlds = [...'bcdfghjklm'].map((letter) => `z${letter}`)
const trust = 'declared'
/** Of the figure that CoreDNS counts. */
const deviationMax = 0.05

const model: LoadModel = {
  server: '169.254.20.10',
  namespaces: 20,
  namesPerNamespace: 15,
  tlds: tlds.slice(0, 4),
  isShared: false,
  periodMs: 4000,
  seconds: 14,
}

let lab: SearchLab

test.before(async () => {
  lab = await SearchLab.start({
    namespaces: 20,
    clusterTtlSeconds: 30,
    externalTtlSeconds: 20,
    tlds,
    alsoAt: nodeAddress,
  })
})

test.after(async () => {
  await lab?.stop()
})

interface Loaded {
  readonly report: LoadReport
  readonly counted: Counts
}

/** @param during what happens meanwhile */
async function load(
  server: string = model.server,
  during: () => Promise<void> = async () => {},
): Promise<Loaded> {
  const main = new URL('../../support/lab/search-load-main.ts', import.meta.url).pathname
  const before = await lab.counts()
  const child = new Child(process.execPath, [main, JSON.stringify({ ...model, server })], {
    netns: lab.net.pod.name,
  })
  await during()
  const { code } = await child.exited
  if (code !== 0) throw new Error(`the load ended with ${code}: ${child.tail()}`)
  return {
    report: JSON.parse(child.lines.at(-1) ?? ''),
    counted: since(before, await lab.counts()),
  }
}

/** Runs `body` while something stands between the pod and CoreDNS. */
async function behind<T>(starting: Promise<Middle>, body: () => Promise<T>): Promise<T> {
  const middle = await starting
  try {
    return await body()
  } finally {
    await middle.stop()
  }
}

/** Listens on the node while `body` runs. */
async function rehearsed<T>(
  body: () => Promise<T>,
  ...flags: readonly string[]
): Promise<{ report: Report; result: T }> {
  const config = await lab.writeConfig(trust)
  const args = [builtProgram(), 'rehearse', '--config', config, '--json', '--names', ...flags]
  // With this capability alone, which is all that listening takes.
  const bare = ['--bounding-set=-all,+net_raw', '--inh-caps=-all', process.execPath]
  const child = new Child('setpriv', [...bare, ...args], { netns: lab.net.node.name })
  try {
    await child.line((line) => line.includes('listening beside'), 30_000)
    const result = await body()
    process.kill(child.pid, 'SIGINT')
    await child.exited
    const text = child.lines.join('\n')
    return { report: JSON.parse(text.slice(text.indexOf('{'))), result }
  } finally {
    await child.stop('SIGKILL')
  }
}

function isWithin(found: number, wanted: number, share: number): boolean {
  return Math.abs(found - wanted) <= share * wanted
}

function questions({ groups }: Report, isCluster: boolean) {
  const found = groups.find((group) => group.isCluster === isCluster)
  return { now: found?.now ?? 0, rehearsed: found?.rehearsed ?? 0 }
}

/** Every query of the load is in the report, judged, and answered as it was; what is not there was dropped, and that is said. */
function checkWhole(report: Report, sent: number): void {
  const dropped = report.kernel?.dropped ?? 0
  if (dropped > 0) process.stdout.write(`  the kernel dropped ${dropped} packets\n`)
  assert.ok(sent - report.judged <= dropped, `${report.judged} of ${sent} judged`)
  const notJudged = Object.values(report.notJudged).reduce((sum, count) => sum + count, 0)
  assert.ok(notJudged <= dropped, JSON.stringify(report.notJudged))
  assert.ok(report.queries <= sent, `${report.queries} of ${sent} seen`)
}

test('beside NodeLocal DNSCache it foretells what the switch then spares CoreDNS', async () => {
  const { report, result: before } = await behind(lab.startPeer(), () => rehearsed(() => load()))
  const after = await behind(lab.startNeardns(trust), async () => ({
    ...(await load()),
    again: await lab.sentAgain(),
  }))
  checkWhole(report, before.report.sent)
  assert.equal(report.differences, [])
  assert.is(report.isCache, true)
  for (const part of ['cluster', 'external'] as const) {
    const { now, rehearsed: then } = questions(report, part === 'cluster')
    // A machine with much else to do answers late, and what is late is asked for again: that cannot be foretold.
    const again = after.again[part]
    const spared = before.counted[part] - (after.counted[part] - again)
    process.stdout.write(
      `  ${part}: ${now} questions now (counted ${before.counted[part]}), ${then} foretold (counted ${after.counted[part]}, ${again} of them again)\n`,
    )
    assert.ok(isWithin(now, before.counted[part], deviationMax), `${part}: ${now} now`)
    assert.ok(
      Math.abs(now - then - spared) <= deviationMax * before.counted[part],
      `${part}: ${now - then} spared was foretold, ${spared} it was`,
    )
  }
})

test('beside CoreDNS alone each query is a question, and what changes meanwhile is explained', async () => {
  const direct = await DirectDns.start(lab)
  const client = new Agent(lab.net.pod)
  const moving = new MovingServices([0, 1, 2].map(movingClusterIp), (changes) =>
    lab.change(...changes),
  )
  let asked = 0
  const lookUps = async () => {
    for (let i = 0; i < 120; i++) {
      if (i % 20 === 10) await moving.step()
      const name = `moving-${i % 3}.team-0.svc.cluster.local`
      const at = { host: directIp, port: 53 }
      await client.call('ask', { server: at, name, type: 'A', options: { timeoutMs: 1000 } })
      asked += 1
      await new Promise((resolve) => setTimeout(resolve, 80))
    }
  }
  try {
    const { report, result } = await rehearsed(() => load(directIp, lookUps), '--server', directIp)
    checkWhole(report, result.report.sent + asked)
    assert.is(report.isCache, false)
    const unseen = Math.abs(questions(report, true).now - result.counted.cluster)
    assert.ok(unseen <= (report.kernel?.dropped ?? 0), `${unseen} questions too many or too few`)
    const reasons = report.differences.map(({ reason }) => reason)
    assert.ok(reasons.length > 0, 'Services have come and gone')
    assert.equal(
      reasons.filter((reason) => !['changed', 'appeared'].includes(reason)),
      [],
      JSON.stringify(report.differences),
    )
  } finally {
    await moving.clear()
    await client.stop()
    await direct.stop()
  }
})

const directIp = '10.79.0.2'

/** A CoreDNS without a cache on a host of its own beyond the node. */
class DirectDns {
  private readonly netns: Netns
  private readonly coredns: Coredns

  private constructor(netns: Netns, coredns: Coredns) {
    this.netns = netns
    this.coredns = coredns
  }

  static async start({ net: { node } }: SearchLab): Promise<DirectDns> {
    const netns = await Netns.create('dns')
    const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', netns.name]
    await node.ip('link', 'add', 'dns0', ...peer)
    await node.ip('addr', 'add', '10.79.0.1/24', 'dev', 'dns0')
    await node.ip('link', 'set', 'dns0', 'up')
    await node.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await netns.ip('addr', 'add', `${directIp}/24`, 'dev', 'eth0')
    await netns.ip('link', 'set', 'eth0', 'up')
    await netns.ip('route', 'add', 'default', 'via', '10.79.0.1')
    const block = (zone: string, port: number) =>
      `${zone}:53 {\n  bind ${directIp}\n  forward . ${nodeAddress}:${port}\n}\n`
    const corefile = block('cluster.local', clusterPort) + block('.', externalPort)
    return new DirectDns(netns, await Coredns.start({ netns: netns.name, corefile }))
  }

  async stop(): Promise<void> {
    await this.coredns.stop()
    await this.netns.remove()
  }
}

test.run()
