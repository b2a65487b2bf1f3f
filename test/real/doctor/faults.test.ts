/*
 * Goal: `doctor` finds each fault of the table in docs/operator.md with the line and the cause that stand there, and nothing on a healthy node,
 * within three seconds. Method: a node in network namespaces with real nftables and iptables rules, real CoreDNS on both sides, the daemon
 * as a process; each fault planted for real, `doctor` run on the node as a process, and the fault mended.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../../src/cli/diagnosis/finding.ts'
import { type Diagnosis, FaultyNode } from '../../support/faults/faulty-node.ts'
import { type PlantedFault, plantedFaults } from '../../support/faults/planted-faults.ts'
import { needing } from '../../support/needs.ts'

export const testTimeoutMs = 300_000

const test = needing(
  suite('real/doctor/faults'),
  ...(['coredns', 'netns', 'nft', 'iptables'] as const),
)
const only = process.env['NEARDNS_FAULT']
const healthyMsMax = 3000

interface Row {
  readonly name: string
  /** `about: what`, with N for a number and … for anything. */
  readonly line: string
  readonly cause: string
}

const rows: readonly Row[] = readRows()
let node: FaultyNode
/** The configuration of the daemon that runs; undefined: it is not to be used again. */
let running: string | undefined

test.before(async () => {
  node = await FaultyNode.create()
})
test.after(async () => {
  await node?.remove()
})

test('the table of the document has the faults that are planted here', () => {
  assert.equal(
    rows.map(({ name }) => name),
    plantedFaults.map(({ name }) => name),
  )
  assert.ok(plantedFaults.length >= 20)
})

test('a healthy node is all ticks', async () => {
  await node.start()
  const { code, findings, tookMs } = await node.doctor()
  // A machine with much else to do delays the daemon, and that is no fault that this test is about.
  const odd = findings.filter(
    ({ state, about }) => (state === 'fault' || state === 'unknown') && about !== 'event loop',
  )
  assert.equal(told(odd), [])
  if (told(findings).every((line) => !line.startsWith('event loop'))) assert.is(code, 0)
  assert.ok(tookMs < healthyMsMax, `${tookMs} ms`)
})

for (const fault of plantedFaults) {
  if (only !== undefined && !fault.name.includes(only)) continue
  test(fault.name, async () => {
    await startFor(fault)
    try {
      await fault.plant(node)
      const seen = await node.doctor(fault.program?.(node))
      judge(fault, seen)
    } finally {
      await node.mend()
    }
  })
}

async function startFor({ changes, memoryBytes }: PlantedFault): Promise<void> {
  const wanted = JSON.stringify([changes, memoryBytes])
  const isUsable = running === wanted && node.neardns?.child.running === true
  running = wanted
  if (isUsable) node.configure(changes)
  else await node.start(changes, memoryBytes)
}

function judge({ name }: PlantedFault, { code, findings }: Diagnosis): void {
  const row = rows.find((one) => one.name === name)
  const faults = findings.filter(({ state }) => state === 'fault')
  if (process.env['NEARDNS_FAULTS_SHOW'] === '1') {
    for (const { about, what, cause } of faults)
      console.log(`  | ${name} | \`${about}: ${what}\` | ${cause} |`)
  }
  const found = faults.find(
    ({ about, what, cause = '' }) =>
      isLike(`${about}: ${what}`, row?.line ?? '') && isLike(cause, row?.cause ?? ''),
  )
  assert.ok(found, `${name}: ${JSON.stringify(faults, undefined, 1)}`)
  assert.is(code, 1)
}

function isLike(text: string, shape: string): boolean {
  const pattern = shape
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\bN\b/g, '[\\d.,]+')
    .replaceAll('…', '.*')
  return new RegExp(`^${pattern}$`).test(text)
}

function told(findings: readonly Finding[]): string[] {
  return findings.map(({ about, what, cause = '' }) => `${about}: ${what} (${cause})`)
}

/** The table below the heading, its cells without back quotes. */
function readRows(): Row[] {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/operator.md'), 'utf8')
  const section = text.split('## What doctor finds')[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => {
      const [, name = '', shown = '', cause = ''] = line.split('|').map((cell) => cell.trim())
      return { name, line: shown.replaceAll('`', ''), cause }
    })
}

test.run()
