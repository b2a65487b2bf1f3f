/**
 * Where the program hangs: tcx links at the host's ends of pods' interfaces. The kernel removes a link when its last descriptor is closed,
 * so also when this process is killed. Rechecked at each look: a link goes where another program has come.
 */
import { BpfError, countTcx, linkTcx, TcxSide } from '../system/bpf.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import type { LinkFact } from './links.ts'
import type { LoadedProgram } from './program.ts'

/** Kinds of interfaces, as the kernel names them. */
const podEnd = 'veth'
const bridge = 'bridge'

export interface AttachmentRules {
  /** Names, or beginnings followed by `*`. */
  readonly interfaces: readonly string[]
  readonly except: readonly string[]
  /** The same of bridges, which the operator has named. */
  readonly bridges: readonly string[]
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
  readonly kind: 'policy' | 'program' | 'uplink' | 'refused'
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

  private attach({ ifindex, name, kind }: LinkFact): Obstacle | undefined {
    if (this.links.get(ifindex)?.name === name) return undefined
    this.detach(ifindex)
    const { fd, bridgeFd } = this.program
    const program = kind === bridge ? (bridgeFd ?? fd) : fd
    try {
      this.links.set(ifindex, { name, fd: linkTcx(this.calls, program, ifindex) })
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
  const { interfaces, bridges, except } = rules
  const wanted = kind === bridge ? bridges : kind === podEnd ? interfaces : []
  return fitsOne(name, wanted) && !fitsOne(name, except)
}

/** @param found `ours`: numbers of programs that count as ours */
export function obstacleAt(
  calls: SystemCalls,
  { ifindex, kind }: LinkFact,
  { isForced }: Pick<AttachmentRules, 'isForced'>,
  found: NodeFacts & { readonly ours: ReadonlySet<number> },
): Obstacle | undefined {
  if (kind === bridge) return uplinkOf(ifindex, found)
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

/** Whoever is behind a port that is no pod's could have answers sent to others. */
function uplinkOf(ifindex: number, { links }: NodeFacts): Obstacle | undefined {
  const uplink = links.find(({ master, kind }) => master === ifindex && kind !== podEnd)
  return uplink && { kind: 'uplink', text: `a port of it is no pod's: ${uplink.name}` }
}

function fitsOne(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
}
