/**
 * Goal: `check` says whether hits would be answered in the kernel, where, and why not. Method: planted findings, and the real kernel in a
 * namespace with one interface that is free, one with clsact and one that is left out.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HitsForesight, kernelHitsFindings } from '../../../src/cli/diagnosis/kernel-hits.ts'
import { installTable } from '../../kernel/table.ts'
import { needing } from '../../support/needs.ts'
import { Netns } from '../../support/world/netns.ts'
import { aNode } from './checked-node.ts'

const pure = suite('cli/diagnosis/kernel-hits')
const test = needing(
  suite('cli/diagnosis/kernel-hits on the node'),
  'netns',
  'tcx',
  'clang',
  'iptables',
)

const fine: HitsForesight = {
  hasProgram: true,
  refusal: undefined,
  interfaces: [['veth1', undefined]],
}
const rights = new Set(['BPF', 'NET_ADMIN'] as const)

function said(
  found: HitsForesight | undefined,
  capabilities: ReadonlySet<'BPF' | 'NET_ADMIN'> = rights,
  workers = 1,
) {
  const { config } = aNode({ settings: { workers, kernelHits: { mode: 'auto' } } })
  return kernelHitsFindings(config, found, capabilities).map(
    ({ state, what }) => `${state} ${what}`,
  )
}

pure('nothing is said while the mode is off', () => {
  assert.equal(said(undefined), [])
})

pure('where it would be attached, and what is left alone', () => {
  assert.equal(said(fine), ['ok would be attached to veth1'])
  const why = { kind: 'program', text: 'clsact or ingress is there: programs of tc' } as const
  assert.equal(
    said({
      ...fine,
      interfaces: [
        ['veth1', undefined],
        ['veth2', why],
        ['veth3', why],
      ],
    }),
    [
      'ok would be attached to veth1',
      'note left alone: veth2, veth3: clsact or ingress is there: programs of tc',
    ],
  )
  assert.match(
    said({ ...fine, interfaces: [] })[0] ?? '',
    /no interface is there that fits veth\* cali\*/,
  )
})

pure('why it would be off', () => {
  assert.match(said(fine, rights, 2)[0] ?? '', /several workers/)
  assert.match(said({ ...fine, hasProgram: false })[0] ?? '', /no program/)
  assert.match(said(fine, new Set(['NET_ADMIN'] as const))[0] ?? '', /BPF is missing/)
  assert.match(said({ ...fine, refusal: 'the kernel has no tcx' })[0] ?? '', /no tcx/)
})

pure.run()

test('on a node it is looked at, and nothing is attached', async () => {
  installTable()
  const node = await Netns.create('check')
  try {
    for (const name of ['veth1', 'veth2', 'other3'])
      await node.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `p-${name}`)
    await node.exec('tc', 'qdisc', 'add', 'dev', 'veth2', 'clsact')
    const module = new URL('../../../src/cli/diagnosis/kernel-hits.ts', import.meta.url).href
    const script = `
      const { foreseeHits } = await import(${JSON.stringify(module)})
      const kernelHits = { mode: 'auto', interfaces: [], except: [], entriesMax: 16 }
      console.log(JSON.stringify(await foreseeHits({ kernelHits })))`
    const args = ['netns', 'exec', node.name, process.execPath, '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)('ip', args)
    const found = JSON.parse(stdout) as HitsForesight
    assert.is(found.hasProgram, true)
    const places = found.interfaces.map(([name, why]) => [name, why?.kind ?? 'free'])
    assert.equal(places.toSorted(), [
      ['veth1', 'free'],
      ['veth2', 'program'],
    ])
  } finally {
    await node.remove()
  }
})

test.run()
