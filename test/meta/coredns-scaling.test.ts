/**
 * Goal: the numbers that CoreDNS's autoscaler makes of our ConfigMaps are sane for every size of cluster, and what people trip
 * over is known. Method: the controller's arithmetic (test/support/proportional-autoscaler.ts) on the shipped files; each pitfall
 * as one ConfigMap and what becomes of it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import {
  type AutoscaledNode,
  type Replicas,
  replicasFor,
} from '../support/proportional-autoscaler.ts'

const overlays = join(import.meta.dirname, '../../manifests/overlays')
const test = suite('meta/coredns-scaling')

const modes = ['linear', 'ladder'] as const
type Mode = (typeof modes)[number]

function shipped(mode: Mode): Record<string, string> {
  const text = readFileSync(join(overlays, `coredns-autoscaler-${mode}/configmap.yaml`), 'utf8')
  const { data } = parse(text) as { data: Record<string, string> }
  return data
}

const nodesOf = (count: number, cores = 16): AutoscaledNode[] =>
  Array.from({ length: count }, () => ({ cores }))

function numberOf(replicas: Replicas): number {
  if (!replicas.ok) throw new Error(replicas.why)
  return replicas.replicas
}

const linear = (params: object, nodes: readonly AutoscaledNode[]) =>
  numberOf(replicasFor({ linear: JSON.stringify(params) }, nodes))
const ladder = (params: object, nodes: readonly AutoscaledNode[]) =>
  numberOf(replicasFor({ ladder: JSON.stringify(params) }, nodes))

function refusal(data: Record<string, string>): string {
  const replicas = replicasFor(data, nodesOf(10))
  return replicas.ok ? `${replicas.replicas} replicas` : replicas.why
}

/** Nodes, cores of each, replicas in linear and in ladder mode; the table of docs/coredns.md. */
const table: readonly [nodes: number, cores: number, linear: number, ladder: number][] = [
  [1, 4, 1, 1],
  [1, 64, 1, 1],
  [3, 4, 2, 2],
  [10, 16, 2, 2],
  [100, 4, 2, 3],
  [100, 16, 2, 3],
  [100, 96, 10, 16],
  [1000, 4, 16, 16],
  [1000, 16, 16, 16],
  [1000, 96, 94, 100],
  [5000, 4, 79, 100],
  [5000, 16, 79, 100],
  [5000, 64, 100, 100],
]

for (const [count, cores, ...expected] of table) {
  test(`${count} nodes of ${cores} cores have ${expected.join(' or ')} replicas`, () => {
    const got = modes.map((mode) => numberOf(replicasFor(shipped(mode), nodesOf(count, cores))))
    assert.equal(got, expected)
  })
}

test('the document has this very table', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/coredns.md'), 'utf8')
  const rows = [...text.matchAll(/^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)]
  const numbers = rows.map((row) => row.slice(1).map((cell) => Number(cell.replaceAll(',', ''))))
  assert.equal(numbers, table)
})

test('each shipped ConfigMap has exactly the one key of its mode', () => {
  for (const mode of modes) assert.equal(Object.keys(shipped(mode)), [mode])
})

for (const mode of modes) {
  test(`in ${mode} mode a cluster never has 0 replicas, nor fewer than 2 on several nodes, nor more than nodes`, () => {
    let before = 0
    for (let count = 0; count <= 6400; count += count < 600 ? 1 : 13) {
      const replicas = numberOf(replicasFor(shipped(mode), nodesOf(count, 4)))
      assert.ok(replicas >= Math.min(2, Math.max(1, count)), `${count} nodes: ${replicas}`)
      assert.ok(replicas <= Math.max(1, count), `${count} nodes: ${replicas}`)
      assert.ok(replicas >= before, `${count} nodes: fewer than for less`)
      assert.ok(count / replicas <= 64, `${count} nodes: ${replicas}`)
      before = replicas
    }
  })

  test(`in ${mode} mode nodes that are cordoned or not ready go on counting: they go on asking`, () => {
    const half = nodesOf(1000).map((node, index) => ({
      ...node,
      unschedulable: index % 4 === 0,
      notReady: index % 4 === 1,
    }))
    const whole = replicasFor(shipped(mode), nodesOf(1000))
    assert.equal(replicasFor(shipped(mode), half), whole)
  })
}

test('the ladder changes the number of replicas less often than the line', () => {
  const changes = (mode: Mode) => {
    const counts = Array.from({ length: 2000 }, (_, count) =>
      numberOf(replicasFor(shipped(mode), nodesOf(count))),
    )
    return counts.filter((replicas, index) => index > 0 && replicas !== counts[index - 1]).length
  }
  assert.is(changes('ladder'), 6)
  assert.is(changes('linear'), 31)
})

test('pitfall: two keys, none or another one stop all scaling', () => {
  const { linear: line = '' } = shipped('linear')
  const { ladder: steps = '' } = shipped('ladder')
  assert.match(refusal({ linear: line, ladder: steps }), 'expected only one entry, got 2')
  // Even a note beside it, as people leave in ConfigMaps.
  assert.match(refusal({ linear: line, README: 'ours' }), 'expected only one entry, got 2')
  assert.match(refusal({}), 'expected only one entry, got 0')
  assert.match(refusal({ Linear: line }), 'not a supported control mode: Linear')
})

test('pitfall: a comma too many, a number in quotes and a fraction are refused', () => {
  assert.match(refusal({ linear: '{"nodesPerReplica": 16,}' }), 'no JSON')
  assert.match(refusal({ linear: '{"nodesPerReplica": "16"}' }), 'not a number')
  assert.match(refusal({ linear: '{"nodesPerReplica": 16, "min": 2.0}' }), 'min is not an integer')
  assert.match(refusal({ linear: '{"nodesPerReplica": 16, "max": 1e2}' }), 'max is not an integer')
  assert.match(
    refusal({ linear: '{"nodesPerReplica": 1, "preventSinglePointFailure": "true"}' }),
    'not true or false',
  )
  assert.match(refusal({ ladder: '{"nodesToReplicas": [[1, 1.5]]}' }), 'not an integer')
})

test('pitfall: min above max, negative numbers and no divisor are refused', () => {
  assert.match(refusal({ linear: '{"nodesPerReplica": 1, "min": 5, "max": 2}' }), 'below min')
  assert.match(refusal({ linear: '{"nodesPerReplica": 1, "min": -1}' }), 'negative')
  assert.match(refusal({ linear: '{"nodesPerReplica": -1}' }), 'negative')
  assert.match(refusal({ linear: '{"min": 2, "max": 4}' }), 'neither')
  assert.match(refusal({ ladder: '{"nodesToReplicas": [[-1, 1]]}' }), 'negative')
})

test('pitfall: a misspelt key is ignored without a word', () => {
  assert.is(linear({ nodesPerReplica: 16, minimum: 5 }, nodesOf(1)), 1)
  // Letter case does not matter.
  assert.is(linear({ nodesperreplica: 16, MIN: 5 }, nodesOf(1)), 5)
})

test('linear: each share is rounded up and clamped, and the larger one counts', () => {
  assert.is(linear({ nodesPerReplica: 16 }, nodesOf(16)), 1)
  assert.is(linear({ nodesPerReplica: 16 }, nodesOf(17)), 2)
  assert.is(linear({ nodesPerReplica: 2.5 }, nodesOf(16)), 7)
  assert.is(linear({ nodesPerReplica: 16, coresPerReplica: 256 }, nodesOf(10, 64)), 3)
  assert.is(linear({ coresPerReplica: 2, min: 3 }, nodesOf(1, 1)), 3)
  assert.is(linear({ coresPerReplica: 2, max: 3 }, nodesOf(50)), 3)
  // A min of 0 is 1: the line never scales to nothing.
  assert.is(linear({ nodesPerReplica: 16, min: 0 }, []), 1)
})

test('pitfall: preventSinglePointFailure comes after the clamp and exceeds max', () => {
  assert.is(linear({ nodesPerReplica: 16, max: 1, preventSinglePointFailure: true }, nodesOf(2)), 2)
  // It looks at nodes: on a single one there is nothing to prevent.
  assert.is(linear({ coresPerReplica: 256, preventSinglePointFailure: true }, nodesOf(1)), 1)
})

test('pitfall: without includeUnschedulableNodes an outage of nodes scales CoreDNS down', () => {
  const outage = nodesOf(100).map((node, index) => ({ ...node, notReady: index >= 20 }))
  assert.is(linear({ nodesPerReplica: 16 }, nodesOf(100)), 7)
  assert.is(linear({ nodesPerReplica: 16 }, outage), 2)
  assert.is(linear({ nodesPerReplica: 16, includeUnschedulableNodes: true }, outage), 7)
})

test('cores are what nodes can allocate, summed and then rounded up', () => {
  assert.is(linear({ coresPerReplica: 1 }, nodesOf(10, 3.92)), 40)
  assert.is(linear({ coresPerReplica: 1 }, nodesOf(1, 3.92)), 4)
})

test('ladder: the last step that is not above the number holds, whatever their order in the file', () => {
  const steps = [
    [64, 6],
    [1, 2],
    [8, 4],
  ]
  const got = [1, 7, 8, 63, 64, 5000].map((count) =>
    ladder({ nodesToReplicas: steps }, nodesOf(count)),
  )
  assert.equal(got, [2, 2, 4, 4, 6, 6])
})

test('pitfall: below its first step a ladder has the replicas of the first step', () => {
  assert.is(ladder({ nodesToReplicas: [[100, 10]] }, nodesOf(1)), 10)
})

test('pitfall: a ladder may scale CoreDNS to 0', () => {
  const none = [
    { nodesToReplicas: [[0, 0]] },
    {},
    { nodesToReplicas: [] },
    { nodesToReplicas: [[4]] },
  ]
  for (const params of none) assert.is(ladder(params, nodesOf(10)), 0)
  // It knows neither min nor max nor preventSinglePointFailure.
  const others = { min: 2, preventSinglePointFailure: true, nodesToReplicas: [[1, 1]] }
  assert.is(ladder(others, nodesOf(10)), 1)
})

test('pitfall: a step of three numbers loses the third without a word', () => {
  assert.is(ladder({ nodesToReplicas: [[1, 2, 9]] }, nodesOf(10)), 2)
})

test.run()
