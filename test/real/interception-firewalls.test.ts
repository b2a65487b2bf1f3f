/**
 * Goal: a firewall of the node that lets nothing in leaves pods their DNS, whether it was there before the daemon or comes under it. kube-proxy's way
 * to CoreDNS is forwarded, which such firewalls let through, and ours ends at the node, which they do not: a daemon that takes queries
 * and never gets them is worse than none.
 * Method: what firewalld 2.3.1 and ufw 0.36.2 of Debian 13 wrote with their defaults and SSH allowed, recorded from the programs
 * (`nft list ruleset`, `iptables-save`), on a node with the real kube-proxy. firewalld without `flags owner`; ufw with routed packets
 * allowed, which its users with Kubernetes must do.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import {
  clusterIp,
  clusterIp6,
  linkLocal,
  linkLocal6,
  NodeWorld,
} from '../support/world/node-world.ts'
import type { RealProxyMode } from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 90_000

const test = needing(
  suite('real/interception-firewalls'),
  ...(['coredns', 'netns', 'nft', 'iptables', 'kubernetes'] as const),
)
const all = [linkLocal, clusterIp, linkLocal6, clusterIp6]
/** A firewall that is started again is noticed within so long. */
const noticedMs = 3000

interface Firewall {
  readonly name: string
  start(world: NodeWorld): Promise<void>
}

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/firewalls/${name}`, import.meta.url), 'utf8')
}

const firewalld: Firewall = {
  name: 'firewalld',
  start: async (world) => {
    // What it does itself: its table is written anew as a whole.
    const anew = 'table inet firewalld\ndelete table inet firewalld\n'
    await world.nodeRun('nft', ['-f', '-'], anew + fixture('firewalld-2.3.1.nft'))
  },
}

const ufw: Firewall = {
  name: 'ufw',
  start: async (world) => {
    const restore = (program: string, text: string) => world.nodeRun(program, ['-w', '-n'], text)
    await restore('iptables-nft-restore', fixture('ufw-0.36.2-ipv4.txt'))
    await restore('ip6tables-nft-restore', fixture('ufw-0.36.2-ipv6.txt'))
  },
}

const everyCase: readonly { readonly firewall: Firewall; readonly proxy: RealProxyMode }[] = [
  { firewall: firewalld, proxy: 'nftables' },
  { firewall: ufw, proxy: 'iptables-nft' },
  { firewall: firewalld, proxy: 'iptables-nft' },
  { firewall: ufw, proxy: 'nftables' },
]
const isLong = process.env['NEARDNS_INTERCEPTION_LONG'] === '1'
const cases = isLong ? everyCase : everyCase.slice(0, 2)

async function who(world: NodeWorld): Promise<string[]> {
  const answers: string[] = []
  for (const address of all) answers.push(await world.answeredBy(address))
  return answers
}

const everyIs = (answerer: string) => all.map(() => answerer)

for (const { firewall, proxy } of cases) {
  test(`${firewall.name} beside kube-proxy ${proxy}: pods reach the daemon, the standby works, and the firewall is left as it was`, () =>
    NodeWorld.with(proxy, async (world) => {
      await firewall.start(world)
      assert.is(await world.answeredBy(clusterIp), 'coredns', 'kube-proxy needs no leave')
      const before = await world.state()
      const config = world.config({}, 'both')
      const neardns = await world.startNeardns(config)
      assert.equal(await who(world), everyIs('neardns'))
      await neardns.stop()
      assert.equal(await who(world), everyIs('coredns'))
      const { code, output } = await world.rules(config, 'remove')
      assert.is(code, 0, output)
      assert.is(await world.state(), before)
    }))

  test(`${firewall.name} that starts under the daemon beside kube-proxy ${proxy}: pods have DNS again within ${noticedMs} ms`, () =>
    NodeWorld.with(proxy, async (world) => {
      const neardns = await world.startNeardns(world.config({}, 'both'))
      await firewall.start(world)
      const isBack = async () => (await who(world)).every((answer) => answer !== 'nobody')
      await until('every address is answered by somebody', isBack, { timeoutMs: noticedMs })
      assert.equal(await who(world), everyIs('neardns'))
      await neardns.child.stop('SIGKILL')
    }))
}

test.run()
