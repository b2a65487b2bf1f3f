/** What the node says about a daemon that runs on it: rules in the kernel, the connection table, clock, trust. Pure. */
import type { Config } from '../../config/schema.ts'
import { ownedTablePattern, standbyName } from '../../host/backends/nft-rules.ts'
import type { Plan } from '../../host/plan.ts'
import { type Finding, fault, note, ok, unknown } from '../diagnosis/finding.ts'

export interface LookedAtNode {
  readonly config: Config
  readonly plan: Plan
  /** Whether those who stand in for our addresses answer. */
  readonly standby: readonly { readonly place: string; readonly failures: readonly string[] }[]
  /** Names of tables in the kernel's nftables, with the kinds of their rules; undefined when they cannot be read. */
  readonly tables: ReadonlyMap<string, readonly string[]> | undefined
  /** Output of the save program of the planned variant; undefined without one. */
  readonly saved: string | undefined
  /** Entries and most entries of the connection table; undefined without one. */
  readonly connections: { readonly count: number; readonly max: number } | undefined
  /** Flows that the kernel tracks since a moment ago (`src=... dst=... sport=... dport=...`); undefined when it does not show them. */
  readonly tracked: readonly string[] | undefined
  readonly clockSource: string | undefined
  readonly nowMs: number
  /** When this program was installed: the clock cannot be earlier. */
  readonly installedMs: number
  readonly trust: { readonly level: string; readonly reasons: readonly string[] } | undefined
}

const fullShare = 0.9
const dayMs = 86_400_000
const goodClocks = /^(?:tsc|kvm-clock|arch_sys_counter|hyperv_clocksource|xen)/

export function nodeFindings(node: LookedAtNode): Finding[] {
  return [
    ...rules(node),
    ...standby(node),
    ...untracked(node),
    ...connections(node),
    ...clock(node),
    ...trust(node),
  ]
}

function rules(node: LookedAtNode): Finding[] {
  const { backend } = node.plan
  if (backend !== 'nftables' && backend !== 'iptables') return []
  const lacks = backend === 'nftables' ? missingTables(node) : missingChains(node)
  if (lacks === undefined) {
    return [
      unknown(
        'rules',
        'the kernel’s rules cannot be read',
        'ask as root, with NET_ADMIN and NET_RAW',
      ),
    ]
  }
  if (lacks.length === 0)
    return [ok('rules', `are in the kernel (${backend}): NOTRACK, and the standby`)]
  return [
    fault('rules', `not in the kernel (${backend}): ${lacks.join(', ')}`, {
      cause: 'no daemon runs, or another program removed them',
      next: 'neardns rules show --config FILE; the daemon puts rules back within two seconds',
    }),
  ]
}

/** @returns undefined when they cannot be read */
function missingTables({ plan, tables }: LookedAtNode): readonly string[] | undefined {
  if (tables === undefined) return undefined
  const owned = [...tables].filter(([name]) => ownedTablePattern.test(name))
  const isUntracking = owned.some(([, kinds]) => kinds.includes('notrack'))
  return missing([
    ['the intercepting rules', owned.length > 0],
    ['NOTRACK', owned.length === 0 || isUntracking],
    ['the standby rules', plan.standby.length === 0 || tables.has(standbyName(plan))],
  ])
}

function missingChains({ plan, saved }: LookedAtNode): readonly string[] | undefined {
  if (saved === undefined || saved === '') return undefined
  return missing([
    ['the jump from PREROUTING', /-A PREROUTING .*-j NEARDNS-PREROUTING/.test(saved)],
    ['NOTRACK', /-A NEARDNS-PREROUTING .*-j (?:NOTRACK|CT --notrack)/.test(saved)],
    [
      'the standby rules',
      plan.standby.length === 0 || /-A NEARDNS-PREROUTING .*-j DNAT/.test(saved),
    ],
  ])
}

function missing(parts: readonly (readonly [what: string, isThere: boolean])[]): readonly string[] {
  return parts.flatMap(([what, isThere]) => (isThere ? [] : [what]))
}

function standby({ standby: targets }: LookedAtNode): Finding[] {
  const silent = targets.filter(({ failures }) => failures.length > 0)
  if (targets.length > 0 && silent.length === 0) {
    const places = targets.map(({ place }) => place).join(', ')
    return [ok('standby', `${places} would answer while neardns is down`)]
  }
  return silent.map(({ place, failures }) =>
    fault('standby', `${place} does not answer: while neardns is down, pods ask it`, {
      cause: failures.join('; '),
      next: 'is it a pod of CoreDNS? interception.standbyTo; kubectl -n kube-system get endpointslices -l k8s-app=kube-dns',
    }),
  )
}

/** A query to an address of ours that is tracked now means that a rule before ours decided otherwise. */
function untracked({ plan, tracked }: LookedAtNode): Finding[] {
  // In the nftables mode of kube-proxy the node's own queries to a ClusterIP stay with it.
  const ours = new Set(plan.addresses.flatMap((one) => (one.forHost ? [one.address] : [])))
  if (tracked === undefined || ours.size === 0) return []
  const entries = tracked.filter((flow) => ours.has(destinationOf(flow)))
  if (entries.length === 0) return [ok('conntrack', 'queries to our addresses are not tracked')]
  return [
    fault('conntrack', `${entries.length} queries to our addresses were tracked just now`, {
      cause: 'neardns does not intercept them, or another rule comes before ours',
      next: 'conntrack -L --dport 53; nft list ruleset',
    }),
  ]
}

function destinationOf(flow: string): string {
  return /\bdst=(\S+) sport=\d+ dport=53\b/.exec(flow)?.[1] ?? ''
}

function connections({ connections: table }: LookedAtNode): Finding[] {
  if (table === undefined || table.max <= 0) return []
  const text = `the connection table holds ${table.count} of ${table.max}`
  if (table.count < table.max * fullShare) return [ok('conntrack', text)]
  return [
    fault('conntrack', text, {
      cause: 'the node drops new connections; DNS through neardns is not tracked and goes on',
      next: `sysctl -w net.netfilter.nf_conntrack_max=${table.max * 2}`,
    }),
  ]
}

function clock({ nowMs, installedMs, clockSource }: LookedAtNode): Finding[] {
  if (nowMs < installedMs - dayMs) {
    return [
      fault(
        'clock',
        `the clock says ${new Date(nowMs).toISOString()}, before this program was installed`,
        {
          cause: 'the node’s clock is wrong: certificates of tls:// upstreams do not hold',
          next: 'chronyc tracking, or timedatectl',
        },
      ),
    ]
  }
  if (clockSource === undefined || goodClocks.test(clockSource)) return []
  return [
    note(
      'clock',
      `the kernel reads its clock from ${clockSource}, which is slow`,
      'cat /sys/devices/system/clocksource/clocksource0/available_clocksource',
    ),
  ]
}

function trust({ config, trust: verdict }: LookedAtNode): Finding[] {
  if (verdict === undefined) return []
  const { level, reasons } = verdict
  if (reasons.length > 0) {
    return [
      note(
        'search path',
        `${level}: ${reasons[0]}${reasons.length > 1 ? `, and ${reasons.length - 1} more` : ''}`,
        'docs/search-path.md; searchPath.trust: declared, if you know that no name is hidden there',
      ),
    ]
  }
  if (level === 'cautious') {
    const why =
      config.searchPath.corefile === null
        ? 'no Corefile of CoreDNS is given'
        : `${config.searchPath.corefile} cannot be read`
    return [
      note(
        'search path',
        `cautious: ${why}, so fewer names are denied on the node`,
        'searchPath.corefile: /etc/coredns/Corefile, from the ConfigMap coredns',
      ),
    ]
  }
  return [ok('search path', level)]
}
