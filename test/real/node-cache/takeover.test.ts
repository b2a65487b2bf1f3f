/**
 * Goal: started with the arguments, files and environment of a NodeLocal DNSCache, neardns serves at the same addresses and ports, and
 * leaves on the node what docs/nodelocal.md says. Method: nodes in network namespaces with the real kube-proxy; CoreDNS answers with the
 * address of whoever asked, which tells who answered a pod.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'
import {
  NodeCacheFolder,
  serviceEnvironment,
  spawnNodeCache,
  startNodeCache,
  template,
} from '../../support/world/node-cache-start.ts'
import { MemoryCgroup } from '../../support/world/node-cgroup.ts'
import { faultText, loadThrough } from '../../support/world/node-faults.ts'
import { clusterIp, linkLocal, NodeWorld, podIp } from '../../support/world/node-world.ts'

export const testTimeoutMs = 90_000

const programs = ['coredns', 'netns', 'nft', 'iptables', 'conntrack', 'kubernetes'] as const
const test = needing(suite('real/node-cache/takeover'), ...programs)

const both = [linkLocal, clusterIp]
const localIp = ['-localip', both.join(',')]
const service = ['-upstreamsvc', 'kube-dns-upstream']

async function who(world: NodeWorld): Promise<string[]> {
  return [await world.answeredBy(linkLocal), await world.answeredBy(clusterIp)]
}

/** Not at once: on a busy machine an answer takes longer than `who` waits. */
async function untilCoredns(world: NodeWorld): Promise<void> {
  await until('pods ask CoreDNS', async () => (await who(world)).join() === 'coredns,coredns')
}

async function status(world: NodeWorld, at: string): Promise<string> {
  const { status: code, body } = await world.host.call('fetch', { url: `http://${at}` })
  return `${code} ${body.split('\n')[0]}`
}

async function withFolder(body: (folder: NodeCacheFolder) => Promise<void>): Promise<void> {
  const folder = new NodeCacheFolder()
  try {
    await body(folder)
  } finally {
    folder.remove()
  }
}

test('with link and rules, then link alone, then a second process with the same addresses', () =>
  NodeWorld.with('iptables-nft', (world) =>
    withFolder(async (folder) => {
      folder.put('Corefile.base', template)
      const args = [...localIp, ...folder.flags, ...service, '-pidfile', folder.pidFile]
      const first = await startNodeCache(world.node, args)
      assert.equal(await who(world), ['neardns', 'neardns'])
      assert.is(await status(world, `${linkLocal}:8080/health`), '200 OK')
      for (const port of [9253, 9353]) {
        assert.match(await status(world, `10.78.0.1:${port}/metrics`), /^200 # HELP/)
      }
      assert.is(readFileSync(folder.pidFile, 'utf8').trim(), String(first.pid))
      assert.match(readFileSync(folder.conf, 'utf8'), `bind ${linkLocal} ${clusterIp}`)
      // A second DaemonSet with the same addresses; 9353 is taken, which is said, and DNS is served.
      const second = await startNodeCache(world.node, args)
      assert.match(second.lines.join('\n'), /0\.0\.0\.0:9353.*trying again/)
      await first.stop('SIGKILL')
      await until('the other process answers alone', async () => {
        const counts = await world.answersOf(linkLocal, 5)
        return counts['neardns'] === 5
      })
      await second.stop('SIGTERM')
      // Kept: pods that name the link-local address go on asking CoreDNS.
      assert.equal(await who(world), ['coredns', 'coredns'])
      assert.not(existsSync(folder.pidFile))
      // Without rules the standby of the run before must not take the queries.
      const alone = await startNodeCache(world.node, [...args, '-setupiptables=false'])
      assert.equal(await who(world), ['neardns', 'coredns'])
      assert.not.match(await world.nodeRun('nft', ['list', 'ruleset']), 'neardns-')
      await alone.stop('SIGKILL')
      assert.equal(await who(world), ['nobody', 'coredns'])
    }),
  ))

test('a teardown that is asked for leaves nothing; a plain -conf is never written; SIGKILL leaves no rule that intercepts', () =>
  NodeWorld.with('nftables', (world) =>
    withFolder(async (folder) => {
      const bound = template
        .replaceAll('__PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__', '0.0.0.0')
        .replaceAll('__PILLAR__CLUSTER__DNS__', serviceEnvironment.KUBE_DNS_UPSTREAM_SERVICE_HOST)
        .replaceAll('__PILLAR__UPSTREAM__SERVERS__', '/etc/resolv.conf')
      folder.put('Corefile', bound, true)
      const written = statSync(folder.conf).mtimeMs
      const before = await world.state()
      // The Service's variable is missing: kube-proxy's rules tell that this is a ClusterIP.
      const args = [...localIp, '-conf', folder.conf, '-skipteardown=false']
      const first = await startNodeCache(world.node, args, {})
      assert.equal(await who(world), ['neardns', 'neardns'])
      // A wildcard on the host network would be a resolver at every address of the node.
      assert.is(await world.answeredBy('10.77.0.1'), 'nobody')
      await first.stop('SIGTERM', 15_000)
      assert.is(await world.state(), before)
      const second = await startNodeCache(world.node, args)
      await second.stop('SIGKILL')
      await untilCoredns(world)
      assert.is(statSync(folder.conf).mtimeMs, written)
      // In the pod network, without link and rules, a wildcard means all addresses.
      const pod = await startNodeCache(world.pod, [
        ...args,
        '-setupinterface=false',
        '-setupiptables=false',
      ])
      assert.is(await world.answeredBy(podIp, world.host), 'coredns')
      await pod.stop('SIGTERM')
    }),
  ))

test('what a node-cache left goes when we cannot start: files that are wrong, too little memory', () =>
  NodeWorld.with('iptables-nft', (world) =>
    withFolder(async (folder) => {
      folder.put('Corefile.base', template)
      const args = [...localIp, ...folder.flags, ...service]
      await world.leaveNodeLocalBehind()
      assert.equal(await who(world), ['nobody', 'nobody'])
      const missing = spawnNodeCache(world.node, args, { KUBE_DNS_SERVICE_HOST: clusterIp })
      assert.is((await missing.exited).code, 2)
      assert.match(
        missing.lines.join('\n'),
        /Service kube-dns-upstream, and KUBE_DNS_UPSTREAM_SERVICE_HOST is not set/,
      )
      // Even pods that name the link-local address alone: the standby rule comes before anything is read.
      await untilCoredns(world)
      await world.node.ip('link', 'del', 'nodelocaldns')
      await world.leaveNodeLocalBehind()
      const cgroup = new MemoryCgroup()
      // The compiler of the sources takes 20 MiB; the bundle does the same in 30.
      cgroup.limit(60 * 1_048_576)
      const small = spawnNodeCache(world.node, args, serviceEnvironment, cgroup.joining)
      assert.is((await small.exited).code, 2)
      assert.match(
        small.lines.join(' '),
        /rules of a node-cache removed.*CoreDNS does.*memory limit is 60 MiB, .* at least 64 MiB/,
      )
      cgroup.remove()
      await untilCoredns(world)
      assert.not.match(await world.nodeRun('iptables-nft-save', []), 'NodeLocal')
      let child = await startNodeCache(world.node, args)
      assert.equal(await who(world), ['neardns', 'neardns'])
      // The image line is changed without a surge: one goes, then the other comes.
      const result = await loadThrough(world, async () => {
        await child.stop('SIGTERM')
        child = await startNodeCache(world.node, args)
      })
      console.log(faultText('one process after another', result))
      assert.equal([result.lost, result.failed], [0, 0])
      await child.stop('SIGTERM')
    }),
  ))

test.run()
