/**
 * Where the program hangs: tcx links at the host's ends of pods' interfaces. The kernel removes a link when its last descriptor is closed,
 * so also when this process is killed. Rechecked at each look: a link goes where another program has come.
 */
import { BpfError, countTcx, linkTcx, TcxSide } from '../system/bpf.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import type { LinkFact } from './links.ts'
import type { LoadedProgram } from './program.ts'

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

/** Why the program is not at an interface. */
export interface Obstacle {
  readonly kind: 'policy' | 'program' | 'refused'
  readonly text: string
}

/** Interfaces that match, and why the program is not there; undefined: it is. */
export type Placement = ReadonlyMap<string, Obstacle | undefined>

export class Attachments {
  readonly rules: AttachmentRules
  private readonly calls: SystemCalls
  private readonly program: LoadedProgram
  /** Programs that are not in our way, by their numbers. */
  private readonly ours: Set<number>
  /** By interface index. */
  private readonly links = new Map<number, { readonly name: string; readonly fd: number }>()

  constructor(calls: SystemCalls, program: LoadedProgram, rules: AttachmentRules) {
    this.calls = calls
    this.program = program
    this.ours = new Set([program.id])
    this.rules = rules
  }

  get count(): number {
    return this.links.size
  }

  /** The program of the process that we follow is at the same interfaces until we serve. @param id its number */
  standBeside(id: number): void {
    this.ours.add(id)
  }

  /** Attaches and detaches. */
  update(facts: NodeFacts): Placement {
    const placement = new Map<string, Obstacle | undefined>()
    const seen = new Set<number>()
    for (const link of facts.links) {
      if (!isCandidate(link, this.rules)) continue
      seen.add(link.ifindex)
      const found = { ...facts, ours: this.ours }
      const why = obstacleAt(this.calls, link, this.rules, found) ?? this.attach(link)
      placement.set(link.name, why)
      if (why !== undefined) this.detach(link.ifindex)
    }
    for (const ifindex of this.links.keys()) if (!seen.has(ifindex)) this.detach(ifindex)
    return placement
  }

  close(): void {
    for (const ifindex of this.links.keys()) this.detach(ifindex)
  }

  private attach({ ifindex, name }: LinkFact): Obstacle | undefined {
    if (this.links.get(ifindex)?.name === name) return undefined
    this.detach(ifindex)
    try {
      this.links.set(ifindex, { name, fd: linkTcx(this.calls, this.program.fd, ifindex) })
      return undefined
    } catch (error) {
      if (error instanceof BpfError) return { kind: 'refused', text: error.message }
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

/** Whether the program would go there, if nothing stood against it. */
export function isCandidate({ kind, name }: LinkFact, rules: AttachmentRules): boolean {
  return kind === 'veth' && isWanted(name, rules)
}

/** @param found `ours`: numbers of programs that count as ours */
export function obstacleAt(
  calls: SystemCalls,
  { ifindex }: LinkFact,
  { isForced }: AttachmentRules,
  found: NodeFacts & { readonly ours: ReadonlySet<number> },
): Obstacle | undefined {
  if (isForced) return undefined
  if (found.policy !== undefined) return { kind: 'policy', text: `network policy: ${found.policy}` }
  if (found.withClassifiers.has(ifindex))
    return { kind: 'program', text: 'clsact or ingress is there: programs of tc' }
  if (
    countTcx(calls, ifindex, TcxSide.ingress, found.ours) > 0 ||
    countTcx(calls, ifindex, TcxSide.egress) > 0
  )
    return { kind: 'program', text: 'another program of tcx is there' }
  return undefined
}

function isWanted(name: string, { interfaces, except }: AttachmentRules): boolean {
  const fits = (pattern: string) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
  return interfaces.some(fits) && !except.some(fits)
}
