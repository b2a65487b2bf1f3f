/** Facts and plans for tests: a node with kube-proxy in iptables mode, and what is changed in it. */
import { loadConfig } from '../../src/config/load.ts'
import type { InterceptionSettings } from '../../src/config/schema.ts'
import type { HostFacts } from '../../src/host/facts.ts'
import { makePlan, type Plan } from '../../src/host/plan.ts'

export const facts: HostFacts = {
  kernel: '6.1.0',
  noNftables: undefined,
  iptables: 'nft',
  kubeProxy: 'iptables',
  links: [{ name: 'lo', kind: '', addresses: ['127.0.0.1'] }],
  guarded: [],
  standby: [
    { address: '10.244.0.2', port: 53, family: 4 },
    { address: '10.244.1.2', port: 5353, family: 4 },
    { address: 'fd00:244::2', port: 53, family: 6 },
  ],
  standbyGaps: [],
  unreadable: [],
  leftovers: [],
  servedByOthers: [],
}

/** Settings of a node with 169.254.20.10 and the ClusterIP 10.96.0.10. @throws with the mistakes in them */
export function settings(changes: object = {}): InterceptionSettings {
  const interception = { addresses: ['169.254.20.10'], clusterIps: ['10.96.0.10'], ...changes }
  const listen = ['0.0.0.0:53', '[::]:53']
  const text = JSON.stringify({ listen, interception })
  const loaded = loadConfig({ file: { name: 'test.yaml', text } })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  return loaded.config.interception
}

export function planFor(changes: object = {}, factChanges: Partial<HostFacts> = {}): Plan {
  return makePlan(settings(changes), { ...facts, ...factChanges })
}
