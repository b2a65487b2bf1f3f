/**
 * Where the program hangs: tcx links at the host's ends of pods' interfaces. The kernel removes a link when its last descriptor is closed,
 * so also when this process is killed. Rechecked at each look: a link goes where another program has come.
 */
import { BpfError, countTcx, linkTcx, TcxSide } from '../system/bpf.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import type { LinkFact } from './links.ts'

export interface AttachmentRules {
  /** Names, or beginnings followed by `*`. */
  readonly interfaces: readonly string[]
  readonly except: readonly string[]
  /** The operator has named the interfaces: other programs and policies do not keep us away. */
  readonly isForced: boolean
}

/** What was found on the node. */
export interface NodeFacts {
  readonly links: readonly LinkFact[]
  /** Interfaces with clsact or ingress. */
  readonly withClassifiers: ReadonlySet<number>
  /** Who enforces policies here; undefined when nobody was found. */
  readonly policy: string | undefined
}

/** Interfaces that match, and why the program is not there; undefined: it is. */
export type Placement = ReadonlyMap<string, string | undefined>

export class Attachments {
  readonly rules: AttachmentRules
  private readonly calls: SystemCalls
  private readonly program: number
  /** By interface index. */
  private readonly links = new Map<number, { readonly name: string; readonly fd: number }>()

  constructor(calls: SystemCalls, program: number, rules: AttachmentRules) {
    this.calls = calls
    this.program = program
    this.rules = rules
  }

  get count(): number {
    return this.links.size
  }

  /** Attaches and detaches. */
  update(facts: NodeFacts): Placement {
    const placement = new Map<string, string | undefined>()
    const seen = new Set<number>()
    for (const link of facts.links) {
      if (link.kind !== 'veth' || !isWanted(link.name, this.rules)) continue
      seen.add(link.ifindex)
      const why = this.obstacle(link, facts) ?? this.attach(link)
      placement.set(link.name, why)
      if (why !== undefined) this.detach(link.ifindex)
    }
    for (const ifindex of this.links.keys()) if (!seen.has(ifindex)) this.detach(ifindex)
    return placement
  }

  close(): void {
    for (const ifindex of this.links.keys()) this.detach(ifindex)
  }

  private obstacle({ ifindex }: LinkFact, facts: NodeFacts): string | undefined {
    if (this.rules.isForced) return undefined
    if (facts.policy !== undefined) return `network policy: ${facts.policy}`
    if (facts.withClassifiers.has(ifindex)) return 'clsact or ingress is there: programs of tc'
    const own = this.links.has(ifindex) ? 1 : 0
    const others = countTcx(this.calls, ifindex, TcxSide.ingress) - own
    if (others > 0 || countTcx(this.calls, ifindex, TcxSide.egress) > 0)
      return 'another program of tcx is there'
    return undefined
  }

  private attach({ ifindex, name }: LinkFact): string | undefined {
    if (this.links.get(ifindex)?.name === name) return undefined
    this.detach(ifindex)
    try {
      this.links.set(ifindex, { name, fd: linkTcx(this.calls, this.program, ifindex) })
      return undefined
    } catch (error) {
      if (error instanceof BpfError) return error.message
      throw error
    }
  }

  private detach(ifindex: number): void {
    const link = this.links.get(ifindex)
    if (link === undefined) return
    this.links.delete(ifindex)
    this.calls.closeDescriptor(link.fd)
  }
}

function isWanted(name: string, { interfaces, except }: AttachmentRules): boolean {
  const fits = (pattern: string) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
  return interfaces.some(fits) && !except.some(fits)
}
