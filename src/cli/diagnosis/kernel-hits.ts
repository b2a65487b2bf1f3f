/** What `check` says of hits in the kernel: whether they would be on, at which interfaces, and which are left alone, and why. */
import type { Config } from '../../config/schema.ts'
import { firewallChains, placementRules } from '../../daemon/hits/placement-rules.ts'
import { isCandidate, type Obstacle, obstacleAt } from '../../kernel/attachments.ts'
import { readNodeFacts } from '../../kernel/kernel-hits.ts'
import { Links } from '../../kernel/links.ts'
import { refuseOldKernel, whyNotLoaded } from '../../kernel/load-failure.ts'
import { readTable } from '../../kernel/program.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import type { Capability } from './capabilities.ts'
import { type Finding, note, ok } from './finding.ts'

/** What was found on the node. */
export interface HitsForesight {
  /** Whether this build has the program. */
  readonly hasProgram: boolean
  /** Why the kernel would not have it; undefined when nothing is known against it. */
  readonly refusal: string | undefined
  /** Interfaces that fit, and what stands against each. */
  readonly interfaces: readonly (readonly [name: string, why: Obstacle | undefined])[]
}

const about = 'kernel hits'

/** Attaches nothing. @returns undefined when the mode is off */
export async function foreseeHits({ kernelHits }: Config): Promise<HitsForesight | undefined> {
  if (kernelHits.mode === 'off') return undefined
  const hasProgram = readTable() !== undefined
  try {
    return { hasProgram, refusal: undefined, interfaces: await interfacesFor(kernelHits) }
  } catch (error) {
    return { hasProgram, refusal: whyNotLoaded(error).text, interfaces: [] }
  }
}

async function interfacesFor(settings: Config['kernelHits']): Promise<HitsForesight['interfaces']> {
  const calls = loadSystemCalls()
  refuseOldKernel(calls)
  const rules = placementRules(settings)
  const links = new Links(calls)
  try {
    const facts = await readNodeFacts(links, rules, firewallChains)
    return facts.links
      .filter((link) => isCandidate(link, rules))
      .map(
        (link) =>
          [link.name, obstacleAt(calls, link, rules, { ...facts, ours: new Set() })] as const,
      )
  } finally {
    await links.close()
  }
}

export function kernelHitsFindings(
  { workers, kernelHits }: Pick<Config, 'workers' | 'kernelHits'>,
  found: HitsForesight | undefined,
  capabilities: ReadonlySet<Capability> | undefined,
): Finding[] {
  if (found === undefined) return []
  const missing = (['BPF', 'NET_ADMIN'] as const).find((name) => capabilities?.has(name) === false)
  if (workers > 1) return [off('there are several workers, each with a cache of its own')]
  if (!found.hasProgram)
    return [off('this build has no program for the kernel', 'npm run build:kernel')]
  if (missing !== undefined)
    return [off(`${missing} is missing`, `securityContext: capabilities: add: [${missing}]`)]
  if (found.refusal !== undefined) return [off(found.refusal)]
  return [...attached(found, kernelHits), ...leftAlone(found)]
}

function off(
  why: string,
  next = 'nothing: the daemon answers all; or kernelHits.mode: off',
): Finding {
  return note(about, `off: ${why}`, next)
}

function attached({ interfaces }: HitsForesight, settings: Config['kernelHits']): Finding[] {
  const names = interfaces.flatMap(([name, why]) => (why === undefined ? [name] : []))
  if (names.length > 0) return [ok(about, `would be attached to ${names.join(', ')}`)]
  if (interfaces.length > 0) return []
  const patterns = placementRules(settings).interfaces.join(' ')
  return [note(about, `no interface is there that fits ${patterns}; those that come are looked at`)]
}

function leftAlone({ interfaces }: HitsForesight): Finding[] {
  const byText = new Map<string, string[]>()
  for (const [name, why] of interfaces)
    if (why !== undefined) byText.set(why.text, [...(byText.get(why.text) ?? []), name])
  return [...byText].map(([text, names]) =>
    note(
      about,
      `left alone: ${names.join(', ')}: ${text}`,
      'docs/kernel-hits.md; a running neardns counts as a program of tcx',
    ),
  )
}
