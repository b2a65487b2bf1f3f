/**
 * What an operator does to neardns: upgrades, new configurations, the chart, and taking it off again.
 */
import { replaced } from '../deployment.ts'
import { chartDirectory, hasChart, helm, localImage } from '../helm.ts'
import type { Lab } from '../lab.ts'
import { kubeDnsIp } from '../layout.ts'
import { differences, type NodeState, readNodeState } from '../node-state.ts'
import { pause, waitFor } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import { neverRestarted } from './around.ts'

const reloaded = 'neardns_config_reloads_total'
const isGood = 'neardns_config_last_reload_successful'
/** The kubelet brings a changed ConfigMap within its sync period. */
const syncSeconds = 120

let before: NodeState = {}
let lastWords: readonly string[] = []

export const changes: readonly Scenario[] = [
  {
    // First of all: the node has never seen neardns.
    name: 'uninstalled',
    what: 'removed as manifests/README.md says: the node is as before',
    setting: 'nothing',
    // The link-local address goes with neardns, as it is meant to.
    addresses: [kubeDnsIp],
    before: async (lab) => {
      before = await readNodeState(lab.node)
      await lab.neardns.apply('unmodified')
      await lab.mustBeReady()
    },
    act: async (lab) => {
      await lab.neardns.apply('leave-nothing')
      await rollOut(lab)
      const logs = lab.neardns.lastLogs()
      await lab.neardns.delete()
      lastWords = await logs
      // kube-proxy takes the Service's rules away.
      await pause(5000)
    },
    after: whatIsLeft,
  },
  {
    name: 'deleted-leaving-nothing',
    what: 'overlay `leave-nothing` deleted: the node is as before',
    setting: 'nothing',
    addresses: [kubeDnsIp],
    before: async (lab) => {
      before = await readNodeState(lab.node)
      await lab.neardns.apply('leave-nothing')
      await lab.mustBeReady()
    },
    act: async (lab) => {
      await lab.neardns.delete()
      await pause(5000)
    },
    after: whatIsLeft,
  },
  {
    name: 'upgrade',
    what: 'DaemonSet rolled out anew',
    act: async (lab) => {
      for (let n = 0; n < lab.upgrades; n++) await rollOut(lab)
    },
    after: neverRestarted,
  },
  {
    name: 'config-changed',
    what: 'ConfigMap changed',
    act: async (lab) => {
      const reloads = await lab.neardns.metric(reloaded)
      lab.spoil()
      await changeConfig(lab, (text) => replaced(text, 'bytesMax: 33554432', 'bytesMax: 25165824'))
      await waitFor('the new configuration', syncSeconds, async () => {
        return (await lab.neardns.metric(reloaded)) > reloads
      })
    },
    after: neverRestarted,
  },
  {
    name: 'config-wrong',
    what: 'ConfigMap changed to a wrong one, then back',
    act: async (lab) => {
      await changeConfig(lab, (text) => replaced(text, 'bytesMax: 33554432', 'bytesMax: many'))
      await waitFor('the refusal', syncSeconds, async () => {
        return (await lab.neardns.metric(isGood)) === 0
      })
      await pause(2000)
      await changeConfig(lab, (text) => text)
      await waitFor('the right one', syncSeconds, async () => {
        return (await lab.neardns.metric(isGood)) === 1
      })
    },
    after: neverRestarted,
  },
  {
    name: 'chart-upgraded',
    what: 'chart upgraded and rolled back',
    setting: 'chart',
    obstacle: chartObstacle,
    act: async (lab) => {
      const change = ['--reuse-values', '--set', 'podAnnotations.changed=yes']
      await helm(lab.cluster, ['upgrade', 'neardns', chartDirectory, ...localImage, ...change])
      await lab.mustBeReady()
      await helm(lab.cluster, ['rollback', 'neardns'])
      await lab.mustBeReady()
    },
    after: neverRestarted,
  },
  {
    name: 'chart-uninstalled',
    what: 'helm uninstall: the node is as before',
    setting: 'nothing',
    addresses: [kubeDnsIp],
    obstacle: chartObstacle,
    before: async (lab) => {
      before = await readNodeState(lab.node)
      await lab.installChart()
    },
    act: async (lab) => {
      await helm(lab.cluster, ['uninstall', 'neardns', '--wait'])
      await lab.neardns.gone()
      await pause(5000)
    },
    after: whatIsLeft,
  },
]

/**
 * The kubelet makes the lock file of iptables when a pod mounts it and it is not there, and nobody takes it away again: the one thing that
 * stays. Where kube-proxy uses iptables it is there before.
 */
const stays = 'files: + /run/xtables.lock'

async function whatIsLeft(lab: Lab): Promise<string[]> {
  const left = differences(before, await readNodeState(lab.node))
  const faults = left.filter((line) => line !== stays)
  return faults.length === 0 ? [] : [...faults, ...lastWords]
}

function chartObstacle(): string | undefined {
  return hasChart() ? undefined : 'no chart in manifests/chart, or helm is not built'
}

async function rollOut(lab: Lab): Promise<void> {
  await lab.cluster.kubectl.run(['-n', 'kube-system', 'rollout', 'restart', 'daemonset/neardns'])
  await lab.mustBeReady()
}

async function changeConfig(lab: Lab, change: (text: string) => string): Promise<void> {
  const { kubectl } = lab.cluster
  await kubectl.apply(change(await lab.neardns.rendered('cluster-ip')))
  // A change of the pod makes the kubelet look at its volumes at once, instead of within a minute.
  const { name } = await lab.neardns.pod()
  const mark = `looked=${Math.round(performance.now())}`
  await kubectl.run(['-n', 'kube-system', 'annotate', '--overwrite', 'pod', name, mark])
}
