/**
 * Goal: a bridge that is named answers for the pods behind it, and not while something else than pods is behind it. Method: a daemon and two
 * pods at one bridge, in namespaces; their own interfaces are left out.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installTable } from '../../kernel/table.ts'
import { buildC } from '../../support/build.ts'
import { readExposition } from '../../support/exposition.ts'
import { Neardns } from '../../support/neardns.ts'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'
import { Unbound } from '../../support/unbound.ts'
import { Netns } from '../../support/world/netns.ts'

export const testTimeoutMs = 120_000

const test = needing(
  suite('daemon/hits/bridge'),
  ...(['netns', 'tcx', 'clang', 'curl', 'dig', 'unbound', 'gcc'] as const),
)

const timing = { timeoutMs: 30_000, everyMs: 50 }
const servers = ['10.78.0.1', 'fd78::1']
const directory = mkdtempSync(join(tmpdir(), 'neardns-bridge-'))

let node: Netns
let pods: readonly Netns[]
let upstream: Unbound
let daemon: Neardns

test.before(async () => {
  installTable()
  node = await Netns.create('node')
  // Of its own, or it would follow the ports that come and go.
  await node.ip('link', 'add', 'pods0', 'address', '02:00:00:00:78:01', 'type', 'bridge')
  await node.ip('addr', 'add', `${servers[0]}/24`, 'dev', 'pods0')
  await node.ip('addr', 'add', `${servers[1]}/64`, 'dev', 'pods0', 'nodad')
  await node.ip('link', 'set', 'pods0', 'up')
  pods = [await podAt(1), await podAt(2)]
  upstream = await Unbound.start({
    ...{ address: '127.0.0.1', port: 5399, netns: node.name, ttlSeconds: 300 },
    zones: { 'www.test': ['A 192.0.2.1'] },
  })
  const path = join(directory, 'neardns.yaml')
  const config = {
    listen: [`${servers[0]}:53`, `[${servers[1]}]:53`],
    external: { upstreams: ['127.0.0.1:5399'] },
    kernelHits: { mode: 'auto', bridges: ['pods*'], except: ['veth*'] },
    admin: { listen: ['127.0.0.1:9253'], socket: 'none' },
  }
  writeFileSync(path, JSON.stringify(config))
  daemon = await Neardns.start({ args: ['--config', path], netns: node.name })
})

test.after(async () => {
  await daemon.stop()
  await upstream.stop()
  for (const pod of pods) await pod.remove()
  await node.remove()
  rmSync(directory, { recursive: true, force: true })
})

async function podAt(number: number): Promise<Netns> {
  const pod = await Netns.create(`pod${number}`)
  const host = `veth${number}`
  await node.ip('link', 'add', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
  await node.ip('link', 'set', host, 'master', 'pods0', 'up')
  await pod.ip('addr', 'add', `10.78.0.${10 + number}/24`, 'dev', 'eth0')
  await pod.ip('addr', 'add', `fd78::${10 + number}/64`, 'dev', 'eth0', 'nodad')
  await pod.ip('link', 'set', 'eth0', 'up')
  return pod
}

async function metric(name: string, state?: string): Promise<number> {
  const page = await node.exec('curl', '-s', 'http://127.0.0.1:9253/metrics')
  const all = readExposition(`${page}\n`).get(name)?.series ?? []
  return all.find(({ labels }) => labels.get('state') === state)?.value ?? Number.NaN
}

const hits = () => metric('neardns_kernel_hits_total')
const interfaces = (state: string) => metric('neardns_kernel_hits_interfaces', state)

const dig = (pod: Netns, server: string) =>
  pod.exec('dig', '+tries=1', '+time=2', '+short', `@${server}`, 'www.test', 'A')

/** Asks until the bridge answers. */
async function answeredByBridge(pod: Netns, server: string): Promise<void> {
  await until(
    `a hit at ${server}`,
    async () => {
      const before = await hits()
      assert.is((await dig(pod, server)).trim(), '192.0.2.1')
      return (await hits()) > before
    },
    timing,
  )
}

test('pods are answered at the bridge, over both families', async () => {
  await until('the attachment', async () => (await interfaces('attached')) === 1, timing)
  for (const pod of pods) for (const server of servers) await answeredByBridge(pod, server)
})

test('replies get through with transmit offload off at either end', async () => {
  const source = join(import.meta.dirname, '../../support/programs/tx-checksums.c')
  const program = await buildC(source, 'gcc')
  for (const [host, pod] of [
    ['off', 'on'],
    ['on', 'off'],
    ['off', 'off'],
  ] as const) {
    await node.exec(program, 'veth1', host)
    await pods[0]?.exec(program, 'eth0', pod)
    for (const server of servers) await answeredByBridge(pods[0] as Netns, server)
  }
})

test('it is left alone while a port of it is no pod’s', async () => {
  await node.ip('link', 'add', 'uplink0', 'type', 'vxlan', 'id', '5', 'dstport', '4789')
  await node.ip('link', 'set', 'uplink0', 'master', 'pods0')
  await until('the detachment', async () => (await interfaces('uplink')) === 1, timing)
  assert.is(await interfaces('attached'), 0)
  const before = await hits()
  assert.is((await dig(pods[0] as Netns, '10.78.0.1')).trim(), '192.0.2.1')
  assert.is(await hits(), before)
  await node.ip('link', 'del', 'uplink0')
  await until('the attachment', async () => (await interfaces('attached')) === 1, timing)
  await answeredByBridge(pods[0] as Netns, '10.78.0.1')
})

test.run()
