/**
 * The faults that `doctor` is to find, each planted for real on a `FaultyNode`. What it has to say about each stands in docs/operator.md,
 * under the same name.
 */
import { mkdirSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { textAt } from '../../../src/platform/text-at.ts'
import { builtProgram } from '../built-program.ts'
import { Coredns } from '../coredns.ts'
import { until } from '../process.ts'
import { corednsIps, linkLocal } from '../world/node-world.ts'
import { type Changes, denyCluster, type FaultyNode } from './faulty-node.ts'

export interface PlantedFault {
  /** As in the table of docs/operator.md. */
  readonly name: string
  /** Of the configuration; without them the daemon of the fault before may serve. */
  readonly changes?: Changes
  /** Of the daemon's memory cgroup. */
  readonly memoryBytes?: number
  plant(node: FaultyNode): Promise<void> | void
  /** The main file that runs `doctor`, unless it is the one that was built. */
  readonly program?: (node: FaultyNode) => string
}

const denyAll = 'template ANY ANY {\n  rcode NXDOMAIN\n}'
export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'UDP to a resolver vanishes',
    plant: (node) => node.loseReplies('external', 'udp'),
  },
  {
    name: 'TCP to a resolver vanishes',
    plant: (node) => node.loseReplies('external', 'tcp'),
  },
  {
    name: 'TCP to CoreDNS vanishes',
    plant: (node) => node.loseReplies('cluster', 'tcp'),
  },
  {
    name: 'CoreDNS is down',
    plant: (node) => node.closeDown('cluster'),
  },
  {
    name: 'an upstream is slow',
    plant: (node) =>
      node.exchange('cluster', 'erratic {\n  drop 0\n  truncate 0\n  delay 1 400ms\n}'),
  },
  {
    name: 'a resolver refuses this node',
    plant: (node) => node.exchange('external', 'acl {\n  block\n}'),
  },
  {
    name: 'CoreDNS has lost the API server',
    plant: (node) => node.exchange('cluster', 'template ANY ANY {\n  rcode SERVFAIL\n}'),
  },
  {
    name: 'the cluster has another domain',
    plant: (node) => node.exchange('cluster', denyAll),
  },
  {
    name: 'the standby leads nowhere',
    changes: {
      interception: {
        addresses: [linkLocal],
        link: { kind: 'bridge' },
        standbyTo: ['10.78.0.99:53'],
      },
    },
    plant: () => undefined,
  },
  {
    name: 'the admin socket is away',
    plant(node) {
      rmSync(node.socketPath)
      node.undoLater(() => node.stop())
    },
  },
  {
    name: 'the configuration is refused',
    async plant(node) {
      writeFileSync(node.configPath, '{"listen": ["169.254.20.10:53"], "cashe": {}}')
      const refused = (line: string) => line.includes('cashe')
      await node.neardns?.child.line(refused, 10_000)
    },
  },
  {
    name: 'a pod asks another address',
    async plant(node) {
      const { pod } = node.world
      // As the kubelet names the cgroups of pods, in a hierarchy that holds nothing.
      const cgroup = `/sys/fs/cgroup/systemd/kubepods-neardns-test-${process.pid}`
      mkdirSync(cgroup)
      pod.setResolvConf('search shop.svc.cluster.local\nnameserver 192.0.2.53\n')
      const sleeper = node.background('sleep', ['60'], pod.name)
      node.undoLater(() => rmdirSync(cgroup))
      writeFileSync(`${cgroup}/cgroup.procs`, String(sleeper.pid))
      const isInPod = () => textAt(`/proc/${sleeper.pid}/comm`)?.startsWith('sleep') === true
      await until('the pod runs', isInPod)
    },
  },
  {
    name: 'questions go round',
    async plant(node) {
      await node.exchange('external', `forward . ${linkLocal}`)
      node.ask('N.round.example')
    },
  },
  {
    name: 'the receive buffer overflows',
    changes: { udp: { receiveBufferBytes: 4096 } },
    plant(node) {
      node.ask('burst.shop.svc.cluster.local', { queriesPerSecond: 400 })
      pausing(node, { everyMs: 300, pauseMs: 150 })
    },
  },
  {
    name: 'memory is short',
    memoryBytes: 64 * 1_048_576,
    async plant(node) {
      node.ask('N.load.example', { queriesPerSecond: 500 })
      await new Promise((resolve) => setTimeout(resolve, 2000))
    },
  },
  {
    name: 'the process gets no CPU',
    async plant(node) {
      node.ask('busy.shop.svc.cluster.local', { seconds: 14 })
      // An idle daemon looks at its event loop with each self-query only.
      await new Promise((resolve) => setTimeout(resolve, 6000))
      pausing(node, { everyMs: 500, pauseMs: 400 })
    },
  },
  {
    name: 'CoreDNS has names that its Corefile cannot have',
    changes: { searchPath: { trust: 'declared', auditOneIn: 1 } },
    async plant(node) {
      await node.exchange('cluster', denyCluster)
      node.ask('N.example.com.shop.svc.cluster.local', { queriesPerSecond: 10 })
      await new Promise((resolve) => setTimeout(resolve, 2500))
      await node.serve(
        'cluster',
        'template IN A example.com.shop.svc.cluster.local {\n  answer "{{ .Name }} 1 IN A 10.96.1.1"\n}\n' +
          denyCluster,
      )
    },
  },
  {
    name: 'another cache has the address as well',
    changes: { sharePorts: true },
    async plant(node) {
      await sharedAddress(node)
    },
  },
  {
    name: 'the clock is wrong',
    plant: () => undefined,
    program: programFromTheFuture,
  },
  {
    name: 'expired answers are served',
    async plant(node) {
      node.ask('kept.shop.svc.cluster.local', { queriesPerSecond: 5, seconds: 8 })
      await new Promise((resolve) => setTimeout(resolve, 400))
      await node.closeDown('cluster')
    },
  },
  {
    name: 'more questions than fit',
    changes: { inFlight: { questionsMax: 4 } },
    async plant(node) {
      await node.exchange('external', 'erratic {\n  drop 0\n  truncate 0\n  delay 1 900ms\n}')
      node.ask('N.flood.example', { queriesPerSecond: 100 })
    },
  },
  {
    name: 'rules are removed again and again',
    plant: (node) =>
      node.repeat(
        'nft list tables | grep neardns-standby | while read -r table; do nft delete $table; done; sleep 0.3',
      ),
  },
  {
    name: 'the link is removed again and again',
    plant: (node) => node.repeat('ip link del nodelocaldns; sleep 0.3'),
  },
  {
    name: 'another rule comes before NOTRACK',
    changes: {
      interception: {
        addresses: [linkLocal],
        link: { kind: 'bridge' },
        standbyTo: [`${corednsIps[0]}:53`],
        mode: 'iptables',
      },
    },
    async plant(node) {
      const rule = ['-d', linkLocal, '-j', 'ACCEPT']
      await node.world.nodeRun('iptables-nft', ['-t', 'raw', '-I', 'OUTPUT', ...rule])
      node.undoLater(() =>
        node.world.nodeRun('iptables-nft', ['-t', 'raw', '-D', 'OUTPUT', ...rule]),
      )
    },
  },
  {
    name: 'a firewall refuses pods',
    async plant(node) {
      const firewall = node.background('nft', ['-i'])
      firewall.process.stdin?.write(
        'add table inet strict { flags owner; chain in { type filter hook input priority 10; policy drop; iifname lo accept; ct state established accept; }; }\n',
      )
      await until('the interception ends', async () => (await active(node)) === 0, {
        timeoutMs: 10_000,
      })
    },
  },
  {
    name: 'a worker does not stay',
    changes: { workers: 2 },
    plant(node) {
      const { pid } = node.neardns ?? { pid: 0 }
      node.often(700, () => {
        const [, worker] = (textAt(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ')
        if (Number(worker) > 0) process.kill(Number(worker), 'SIGKILL')
      })
    },
  },
  {
    name: 'the daemon hangs',
    plant(node) {
      node.neardns?.child.process.kill('SIGSTOP')
      node.undoLater(() => node.neardns?.child.process.kill('SIGCONT'))
    },
  },
  {
    name: 'the daemon is gone',
    async plant(node) {
      await node.neardns?.child.stop('SIGKILL')
    },
  },
  {
    name: 'another program has the port',
    async plant(node) {
      await node.stop()
      await sharedAddress(node)
    },
  },
]

/** Stops the daemon for a part of each period, as a node without CPU for it does. */
function pausing(node: FaultyNode, { everyMs, pauseMs }: { everyMs: number; pauseMs: number }) {
  const daemon = node.neardns?.child.process
  node.undoLater(() => daemon?.kill('SIGCONT'))
  node.often(everyMs, () => {
    daemon?.kill('SIGSTOP')
    setTimeout(() => daemon?.kill('SIGCONT'), pauseMs)
  })
}

/** A CoreDNS with the daemon's own address, as a NodeLocal DNSCache that was left running. */
async function sharedAddress(node: FaultyNode): Promise<void> {
  const corefile = `.:53 {\n  bind ${linkLocal}\n  whoami\n}\n`
  const other = await Coredns.start({ netns: node.world.node.name, corefile })
  node.undoLater(() => other.stop())
}

/** A program that was installed in a month, which is what a clock that has gone back looks like. */
function programFromTheFuture(node: FaultyNode): string {
  const path = join(node.directory, 'main.ts')
  writeFileSync(path, `import ${JSON.stringify(builtProgram())}\n`)
  const installed = Date.now() / 1000 + 30 * 86_400
  utimesSync(path, installed, installed)
  return path
}

async function active(node: FaultyNode): Promise<number> {
  return await node.world.metric('neardns_interception_active', linkLocal)
}
