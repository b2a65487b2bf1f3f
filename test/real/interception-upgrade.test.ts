/**
 * Goal: a process takes the place of another while both intercept: the pods notice nothing, what the old one takes away is not the
 * new one's, and the new one's end opens the way as ever.
 * Method: a node in network namespaces with the real kube-proxy, both backends; 2,000 queries a second from a pod through the link-local
 * address and the ClusterIP, and a kept TCP connection on each, while a second daemon with the same file is started and the first
 * one goes. Several upgrades with NEARDNS_INTERCEPTION_LONG=1.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Neardns } from '../support/neardns.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { faultText, loadThrough } from '../support/world/node-faults.ts'
import { clusterIp, linkLocal, NodeWorld } from '../support/world/node-world.ts'
import { onlyMode, type RealProxyMode, usualMode } from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 180_000

const test = needing(
  suite('real/interception-upgrade'),
  ...(['coredns', 'netns', 'nft', 'iptables', 'kubernetes'] as const),
)

const upgrades = process.env['NEARDNS_INTERCEPTION_LONG'] === '1' ? 5 : 1
const combinations: readonly { proxy: RealProxyMode; backend: 'nftables' | 'iptables' }[] = [
  { proxy: 'nftables', backend: 'nftables' },
  { proxy: 'iptables-nft', backend: 'iptables' },
  ...(onlyMode === 'iptables-legacy' ? [{ proxy: onlyMode, backend: 'iptables' as const }] : []),
]
const wanted = combinations.filter(({ proxy }) => proxy === usualMode(proxy))

async function who(world: NodeWorld): Promise<string> {
  return `${await world.answeredBy(linkLocal)} ${await world.answeredBy(clusterIp)}`
}

/** Starts the next one, and waits until the one before has gone. */
async function upgrade(world: NodeWorld, config: string, before: Neardns): Promise<Neardns> {
  const next = await world.startNeardns(config)
  await next.child.line((line) => line.includes('hand-over: we serve now'), 10_000)
  // What the kubelet does to the pod of the old one, once the new one is ready.
  await before.stop()
  return next
}

/** Asks again and again until told to stop. @returns what was not answered by neardns */
function keepAsking(world: NodeWorld): () => Promise<string[]> {
  let isOver = false
  const others: string[] = []
  const asking = (async () => {
    while (!isOver) {
      for (const host of [linkLocal, clusterIp]) {
        const answer = await world.answeredBy(host, world.client, true)
        if (answer !== 'neardns') others.push(`${host}: ${answer}`)
      }
    }
  })()
  return async () => {
    isOver = true
    await asking
    return others
  }
}

for (const { proxy, backend } of wanted) {
  test(`${backend} beside kube-proxy ${proxy}: ${upgrades} upgrades at 2,000 q/s lose nothing, and the end opens the way`, async () => {
    const world = await NodeWorld.create(proxy)
    try {
      await world.makeLegacyTables()
      const before = await world.state()
      const config = world.upgradableConfig({ mode: backend })
      let neardns = await world.startNeardns(config)
      for (let n = 0; n < upgrades; n++) {
        const overTcp = keepAsking(world)
        const replace = async () => {
          neardns = await upgrade(world, config, neardns)
        }
        const result = await loadThrough(world, replace, 1)
        assert.equal(await overTcp(), [], 'over TCP neardns answered throughout')
        console.log(faultText(`${backend} upgrade ${n + 1}`, result))
        assert.equal([result.lost, result.failed], [0, 0])
        assert.is(await who(world), 'neardns neardns')
      }
      await neardns.child.stop('SIGKILL')
      await until('CoreDNS answers', async () => (await who(world)) === 'coredns coredns')
      const removed = await world.rules(config, 'remove')
      assert.is(removed.code, 0, removed.output)
      assert.is(await world.state(), before)
    } finally {
      await world.remove()
    }
  })
}

test.run()
