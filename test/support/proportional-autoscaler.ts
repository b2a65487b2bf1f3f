/**
 * How many replicas cluster-proportional-autoscaler (v1.10.3) sets, as arithmetic: its ConfigMap and the cluster's nodes go in, a
 * number or its refusal comes out. Read from pkg/autoscaler (controller/plugin, linearcontroller, laddercontroller, k8sclient),
 * with what Go's encoding/json makes of the text; 60,000 random ConfigMaps gave what the controller's own packages gave
 * (docs/coredns.md). Never talks to a cluster.
 */

/** What the controller would set, or why it leaves the replicas alone until the ConfigMap is changed. */
export type Replicas =
  | { readonly ok: true; readonly replicas: number }
  | { readonly ok: false; readonly why: string }

export interface AutoscaledNode {
  /** Its allocatable CPU; fractions count. */
  readonly cores: number
  /** Cordoned. */
  readonly unschedulable?: boolean
  /** Condition Ready is not True. */
  readonly notReady?: boolean
}

/** @param data of the ConfigMap; the controller ignores `binaryData` */
export function replicasFor(
  data: Readonly<Record<string, string>>,
  nodes: readonly AutoscaledNode[],
): Replicas {
  const [mode, ...more] = Object.keys(data)
  if (mode === undefined || more.length > 0) {
    return { ok: false, why: `expected only one entry, got ${Object.keys(data).length}` }
  }
  const count = modes.get(mode)
  if (count === undefined) return { ok: false, why: `not a supported control mode: ${mode}` }
  try {
    return { ok: true, replicas: count(new GoObject(data[mode] ?? ''), nodes) }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, why: error.message }
    throw error
  }
}

class Refused extends Error {}

type Count = (params: GoObject, nodes: readonly AutoscaledNode[]) => number

const modes: ReadonlyMap<string, Count> = new Map([
  ['linear', linear],
  ['ladder', ladder],
])

function linear(params: GoObject, all: readonly AutoscaledNode[]): number {
  const min = params.integer('min') || 1
  const max = params.integer('max')
  if (min < 0) throw new Refused(`invalid negative value for min: ${min}`)
  if (max !== 0 && max < min) throw new Refused(`max ${max} is below min ${min}`)
  const coresPer = params.float('coresPerReplica')
  const nodesPer = params.float('nodesPerReplica')
  if (coresPer === 0 && nodesPer === 0)
    throw new Refused('neither coresPerReplica nor nodesPerReplica')
  if (coresPer < 0 || nodesPer < 0) throw new Refused('a negative divisor')
  const { nodes, cores } = counted(params, all)
  // A divisor that is absent counts one, whatever `min` says; the other one has `min` in it.
  const share = (amount: number, per: number) => {
    if (per === 0) return 1
    const wanted = Math.ceil(amount / per)
    return Math.max(min, max === 0 ? wanted : Math.min(max, wanted))
  }
  const fromNodes = share(nodes, nodesPer)
  // After the clamp: this may exceed `max`.
  const isSingle = params.boolean('preventSinglePointFailure') && nodes > 1 && fromNodes < 2
  return Math.max(share(cores, coresPer), isSingle ? 2 : fromNodes)
}

function ladder(params: GoObject, all: readonly AutoscaledNode[]): number {
  const fromCores = params.steps('coresToReplicas')
  const fromNodes = params.steps('nodesToReplicas')
  const { nodes, cores } = counted(params, all)
  return Math.max(onLadder(fromCores, cores), onLadder(fromNodes, nodes))
}

type Step = readonly [from: number, replicas: number]

/** No steps: 0. Below the first step its replicas hold as well. */
function onLadder(steps: readonly Step[], amount: number): number {
  const sorted = steps.toSorted(([a], [b]) => a - b)
  const [, replicas] = sorted.findLast(([from]) => from <= amount) ?? sorted[0] ?? [0, 0]
  return replicas
}

/** Cores are summed first and rounded up once. */
function counted(params: GoObject, all: readonly AutoscaledNode[]) {
  const withAll = params.boolean('includeUnschedulableNodes')
  const nodes = all.filter((node) => withAll || !(node.unschedulable || node.notReady))
  const milli = nodes.reduce((sum, { cores }) => sum + Math.round(cores * 1000), 0)
  return { nodes: nodes.length, cores: Math.ceil(milli / 1000) }
}

/** A number as it is written: Go's `int` refuses 2.0 and 1e3. */
class Written {
  readonly value: number
  readonly text: string

  constructor(value: number, text: string) {
    this.value = value
    this.text = text
  }
}

const zero = new Written(0, '0')

/**
 * A JSON object as Go's encoding/json reads it into a struct: unknown keys are ignored, letter case does not matter, null
 * changes nothing, and any other type than the field's is an error. Of a key that is there twice only the last is looked at.
 */
class GoObject {
  private readonly fields = new Map<string, unknown>()

  constructor(text: string) {
    const parsed = parseGo(text)
    if (parsed === null) return
    if (typeof parsed !== 'object' || Array.isArray(parsed) || parsed instanceof Written) {
      throw new Refused('the parameters are no JSON object')
    }
    for (const [key, value] of Object.entries(parsed)) {
      if (value !== null) this.fields.set(key.toLowerCase(), value)
    }
  }

  float(name: string): number {
    return this.written(name)?.value ?? 0
  }

  integer(name: string): number {
    return integerOf(this.written(name) ?? zero, name)
  }

  boolean(name: string): boolean {
    const value = this.fields.get(name.toLowerCase()) ?? false
    if (typeof value !== 'boolean') throw new Refused(`${name} is not true or false`)
    return value
  }

  steps(name: string): Step[] {
    const value = this.fields.get(name.toLowerCase()) ?? []
    if (!Array.isArray(value)) throw new Refused(`${name} is not a list`)
    return value.map((entry: unknown) => stepOf(entry, name))
  }

  private written(name: string): Written | undefined {
    const value = this.fields.get(name.toLowerCase())
    if (value === undefined || value instanceof Written) return value
    throw new Refused(`${name} is not a number`)
  }
}

/** `[2]int`: what lacks is 0, null is both, what is too much is dropped without a word. */
function stepOf(given: unknown, name: string): Step {
  const entry = given ?? []
  if (!Array.isArray(entry)) throw new Refused(`a step of ${name} is not a list`)
  const [from, replicas] = [0, 1].map((index) => {
    const value: unknown = entry[index] ?? zero
    if (!(value instanceof Written)) throw new Refused(`a step of ${name} is not of numbers`)
    return integerOf(value, name)
  })
  if (from === undefined || replicas === undefined || from < 0 || replicas < 0) {
    throw new Refused(`a negative number in ${name}`)
  }
  return [from, replicas]
}

function integerOf({ value, text }: Written, name: string): number {
  if (!/^-?\d+$/.test(text)) throw new Refused(`${name} is not an integer: ${text}`)
  return value
}

function parseGo(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? new Written(value, context?.source ?? String(value)) : value,
    )
  } catch (error) {
    throw new Refused(`the parameters are no JSON: ${String(error)}`)
  }
}
