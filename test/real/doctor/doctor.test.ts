/*
 * Goal: `check` and `doctor` see a real node as it is: kube-proxy and its variant, what NodeLocal DNSCache left, a healthy daemon as healthy,
 * and what is done to it with the cause. Method: a node in network namespaces with the real kube-proxy and CoreDNS, and both verbs as
 * processes on it.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../../src/cli/diagnosis/finding.ts'
import { builtProgram } from '../../support/built-program.ts'
import { needing } from '../../support/needs.ts'
import { runToEnd } from '../../support/process.ts'
import { linkLocal, NodeWorld } from '../../support/world/node-world.ts'

export const testTimeoutMs = 90_000

const test = needing(
  suite('real/doctor'),
  ...(['coredns', 'netns', 'nft', 'iptables', 'kubernetes'] as const),
)

/** The CoreDNS of this world has no zone but the cluster's, and is the upstream for outside names too. */
const outsideRefused = ['UDP', 'TCP'].map(
  (over) => `upstream: 10.96.0.11:53 (external) answers REFUSED over ${over}`,
)

interface Seen {
  readonly code: number | null
  readonly findings: readonly Finding[]
}

async function run(world: NodeWorld, verb: 'check' | 'doctor', config: string): Promise<Seen> {
  const args = [builtProgram(), verb, '--config', config, '--json']
  const { code, output } = await runToEnd(process.execPath, args, { netns: world.node.name })
  const { findings } = JSON.parse(output) as { findings: readonly Finding[] }
  return { code, findings }
}

/** `about: what` of findings in this state. */
function told({ findings }: Seen, state: Finding['state']): string[] {
  // A machine with much else to do delays the daemon, and that is no fault that this test is about.
  const wanted = findings.filter((one) => one.state === state && one.about !== 'event loop')
  return wanted.map(({ about, what }) => `${about}: ${what}`)
}

for (const [mode, named] of [
  ['iptables-nft', 'kube-proxy: iptables, variant nft'],
  ['nftables', 'kube-proxy: nftables'],
] as const) {
  test(`beside kube-proxy with ${mode}`, () =>
    NodeWorld.with(mode, async (world) => {
      const config = world.config()
      const before = await world.state()
      const checked = await run(world, 'check', config)
      assert.equal(told(checked, 'fault'), [])
      assert.ok(told(checked, 'ok').includes(named), JSON.stringify(checked.findings))
      assert.is(await world.state(), before, 'check changes nothing')
      if (mode === 'iptables-nft') {
        await world.leaveNodeLocalBehind()
        const notes = told(await run(world, 'check', config), 'note')
        assert.ok(
          notes.some((one) => /^NodeLocal: \d+ rules of NodeLocal/.test(one)),
          String(notes),
        )
      }

      const neardns = await world.startNeardns(config)
      const healthy = await run(world, 'doctor', config)
      assert.equal(told(healthy, 'fault'), outsideRefused)
      const fine = told(healthy, 'ok')
      for (const part of [
        `answers: ${linkLocal}:53 over UDP and TCP`,
        `interception: ${linkLocal}: queries come to this daemon`,
        'rules: are in the kernel (nftables): NOTRACK, and the standby',
        'standby: 10.78.0.',
      ]) {
        assert.ok(
          fine.some((one) => one.startsWith(part)),
          `${part}: ${fine.join('\n')}`,
        )
      }

      const drop = ['-p', 'tcp', '-s', '10.78.0.0/24', '--sport', '53', '-j', 'DROP']
      await world.nodeRun('iptables-nft', ['-I', 'INPUT', ...drop])
      const hurt = await run(world, 'doctor', config)
      await world.nodeRun('iptables-nft', ['-D', 'INPUT', ...drop])
      assert.is(hurt.code, 1)
      const silent = /^upstream: 10\.96\.0\.11:53 \(cluster\): nothing over TCP$/
      assert.ok(
        told(hurt, 'fault').some((one) => silent.test(one)),
        told(hurt, 'fault').join('\n'),
      )

      await neardns.child.stop('SIGKILL')
      const gone = await run(world, 'doctor', config)
      assert.is(gone.code, 1)
      assert.ok(told(gone, 'fault').includes('daemon: no neardns runs on this node'))
      assert.ok(told(gone, 'fault').some((one) => one.startsWith('rules: not in the kernel')))
    }))
}

test.run()
