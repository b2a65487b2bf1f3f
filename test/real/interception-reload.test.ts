/**
 * Goal: a configuration that gives an address back loses no query. Rules are made at the start, so that packets for the address come
 * to the daemon until the next one. Method: a pod asks a ClusterIP without pause while the file that claims it is replaced.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { clusterIp, NodeWorld } from '../support/world/node-world.ts'

export const testTimeoutMs = 90_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'conntrack'] as const
const test = needing(suite('real/interception-reload'), ...programs, 'kubernetes')

interface Written {
  listen: string[]
  readonly interception: { clusterIps?: string[] }
}

test('an address that a new file no longer names is served until the next start', () =>
  NodeWorld.with('nftables', async (world) => {
    const path = world.config()
    await world.startNeardns(path)
    const isServed = async () => (await world.answeredBy(clusterIp)) === 'neardns'
    await until('neardns answers on the ClusterIP', isServed, { timeoutMs: 20_000 })
    const config = JSON.parse(readFileSync(path, 'utf8')) as Written
    config.listen = config.listen.filter((one) => !one.includes(clusterIp))
    delete config.interception.clusterIps
    writeFileSync(path, JSON.stringify(config))
    const counts: Record<string, number> = {}
    // The file is looked at every two seconds, and an address without answers is let go after 2.5 s.
    const end = performance.now() + 5000
    while (performance.now() < end) {
      const who = await world.answeredBy(clusterIp)
      counts[who] = (counts[who] ?? 0) + 1
    }
    assert.is(counts['nobody'] ?? 0, 0, JSON.stringify(counts))
    assert.is(await world.metric('neardns_config_reloads_total', ''), 1)
  }))

test.run()
