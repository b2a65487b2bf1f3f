/** A node on which neardns will do, as facts, for tests that plant a fault in it. */
import type { CheckedNode } from '../../../src/cli/diagnosis/checked-node.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { HostFacts } from '../../../src/host/facts.ts'
import { makePlan } from '../../../src/host/plan.ts'

export interface PlantedNode extends Partial<Omit<CheckedNode, 'config' | 'facts' | 'plan'>> {
  readonly facts?: Partial<HostFacts>
  readonly mode?: string
  /** Besides the link-local address. */
  readonly listen?: readonly string[]
  readonly settings?: Readonly<Record<string, unknown>>
}

const healthy: HostFacts = {
  kernel: '6.12.0',
  noNftables: undefined,
  iptables: 'nft',
  kubeProxy: 'iptables',
  links: [{ name: 'lo', kind: '', addresses: ['127.0.0.1'] }],
  guarded: [],
  standby: [{ address: '10.244.0.2', port: 53, family: 4 }],
  standbyGaps: [],
  unreadable: [],
  leftovers: [],
  servedByOthers: [],
}

export function aNode({
  facts: changed,
  mode,
  listen = [],
  settings,
  ...rest
}: PlantedNode): CheckedNode {
  const value = {
    listen: ['169.254.20.10:53', ...listen],
    admin: { listen: '127.0.0.1:9253' },
    cluster: { upstreams: ['10.96.0.11'] },
    interception: { addresses: ['169.254.20.10'], ...(mode !== undefined && { mode }) },
    ...settings,
  }
  const loaded = loadConfig({ settings: { name: 'test', value } })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { config } = loaded
  const facts = { ...healthy, ...changed }
  return {
    config,
    facts,
    plan: makePlan(config.interception, facts),
    capabilities: new Set(['NET_BIND_SERVICE', 'NET_ADMIN', 'NET_RAW']),
    userId: 0,
    sockets: [],
    holders: () => [],
    freePortMin: 1024,
    receiveBytesMax: 4_194_304,
    memoryLimitBytes: 134_217_728,
    kernelHits: undefined,
    resolvers: ['10.0.0.2'],
    ...rest,
  }
}
