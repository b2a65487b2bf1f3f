/**
 * Goal: neardns's image and manifests work on a real node as they are, an upgrade and a SIGKILL cost what they may, and the cluster leaves
 * the machine as it was. Method: the short form of the scenarios on a whole one-node Kubernetes in namespaces, kube-proxy in nftables mode;
 * all of them, in every mode: `npm run test:cluster`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../support/needs.ts'
import { Cluster } from './cluster.ts'
import { Lab } from './lab.ts'
import { rehearse } from './operator/rehearsal.ts'
import { tryOut } from './operator/try-out.ts'
import { applyPods } from './pods.ts'
import { prepareMachine } from './prepare.ts'
import { runScenario } from './runner.ts'
import type { Scenario } from './scenario.ts'
import { allScenarios, outcomeText } from './scenarios.ts'
import { watchNode } from './watch.ts'

/** The image of neardns is made when it is not there: minutes. */
export const testTimeoutMs = 900_000

const name = `t${process.pid}`
const options = { name, proxyMode: 'nftables' } as const
const queriesPerSecond = 500

const test = needing(
  suite('cluster/node'),
  ...(['root', 'netns', 'kubernetes-node', 'prometheus'] as const),
)

let machine: Record<string, string>
let lab: Lab | undefined

test.before(async () => {
  await prepareMachine(console.log)
  machine = machineState()
})

test.after(() => Cluster.remove(name))

// On a node without a cache, where a pod that asks the ClusterIP asks CoreDNS.
test('the Job of manifests/rehearse starts, sees every query of a pod, and finds no difference', async () => {
  const cluster = await Cluster.up(options, console.log)
  await applyPods(cluster)
  const { sent, report } = await rehearse(cluster)
  console.log(report)
  assert.match(report, new RegExp(`\\b${sent} judged; not judged: none`))
  assert.match(report, 'Differences: none')
  assert.match(report, 'No difference stands in the way of the switch.')
})

test('the manifests as they are: a pod resolves through neardns, and its queries are not tracked', async () => {
  assert.ok(await tryOut(options, false, console.log))
})

function scenarioNamed(scenario: string): Scenario {
  const found = allScenarios.find((one) => one.name === scenario)
  if (found === undefined) throw new Error(`there is no scenario ${scenario}`)
  return found
}

const losesNoMore = (scenario: string) =>
  test(`${scenario}: no more queries are lost than may be`, async () => {
    lab ??= await Lab.open({ name }, 1, console.log)
    const outcome = await runScenario(lab, scenarioNamed(scenario), queriesPerSecond)
    console.log(outcomeText(outcome))
    assert.equal(outcome.faults, [])
  })

losesNoMore('upgrade')

// Behind the upgrade the node is healthy: what follows needs no new start.
test('Prometheus scrapes the endpoints of the metrics Service, and no alert fires on a healthy node', async () => {
  lab ??= await Lab.open({ name }, 1, console.log)
  assert.is(await lab.prepare(scenarioNamed('sigkill')), undefined)
  const { up, queriesPerSecond: rate, alerts, ruleErrors } = await watchNode(lab)
  console.log(`up ${up.join(' ')}, ${rate.toFixed(1)} queries a second counted`)
  assert.equal(up, [1])
  assert.equal(ruleErrors, [])
  assert.equal(
    alerts.map(({ labels }) => labels['alertname']),
    [],
  )
})

losesNoMore('sigkill')
losesNoMore('deleted-5-s-after-coredns')

test('the cluster taken down leaves the machine as it was', async () => {
  await Cluster.remove(name)
  assert.equal(machineState(), machine)
})

/** What a cluster could leave on the machine. Other tests have namespaces and cgroups meanwhile, so only this one's count. */
function machineState(): Record<string, string> {
  const sysctls = [
    'vm/overcommit_memory',
    'vm/panic_on_oom',
    'kernel/panic',
    'kernel/panic_on_oops',
  ]
  const mine = (lines: readonly string[]) => lines.filter((line) => line.includes(name)).join('\n')
  return {
    ...Object.fromEntries(sysctls.map((key) => [key, readFileSync(`/proc/sys/${key}`, 'utf8')])),
    links: execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' }),
    namespaces: existsSync('/run/netns') ? mine(readdirSync('/run/netns')) : '',
    mounts: mine(readFileSync('/proc/self/mountinfo', 'utf8').split('\n')),
    cgroups: mine(
      execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd'], {
        encoding: 'utf8',
      }).split('\n'),
    ),
  }
}

test.run()
