// Goal: rules that are gone, tracked queries, a full table, a wrong clock and untrusted search paths are found. Method: planted facts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LookedAtNode, nodeFindings } from '../../../src/cli/doctor/node-findings.ts'
import { standbyName } from '../../../src/host/backends/nft-rules.ts'
import { aNode } from '../diagnosis/checked-node.ts'

const test = suite('cli/doctor/node-findings')
const { config, plan } = aNode({})
const iptables = aNode({ mode: 'iptables' }).plan
const standbyTable = standbyName(plan)
const saved = `-A PREROUTING -j NEARDNS-PREROUTING
-A NEARDNS-PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 -j NOTRACK
-A NEARDNS-PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.0.2:53
`
const healthy: LookedAtNode = {
  config,
  plan,
  standby: [{ place: '10.244.0.2:53', failures: [] }],
  tables: new Map([
    ['neardns-0a1b2c3d', ['payload', 'notrack']],
    [standbyTable, ['nat']],
  ]),
  saved: undefined,
  connections: { count: 10, max: 1000 },
  tracked: [
    'ipv4 2 udp 17 29 src=10.244.0.9 dst=10.96.0.1 sport=1 dport=53 src=10.244.0.2 dst=10.244.0.9',
  ],
  clockSource: 'tsc',
  nowMs: 1_800_000_000_000,
  installedMs: 1_790_000_000_000,
  trust: { level: 'verified', reasons: [] },
}

test('a healthy node gets ticks only', () => {
  for (const node of [healthy, { ...healthy, plan: iptables, saved, tables: undefined }]) {
    assert.equal(
      nodeFindings(node).filter(({ state }) => state !== 'ok'),
      [],
    )
  }
})

const planted: [what: string, node: Partial<LookedAtNode>, says: RegExp][] = [
  [
    'flushed tables',
    { tables: new Map() },
    /not in the kernel \(nftables\): the intercepting rules, the standby rules/,
  ],
  [
    'a table without NOTRACK',
    {
      tables: new Map([
        ['neardns-0a1b2c3d', ['payload']],
        [standbyTable, []],
      ]),
    },
    /: NOTRACK$/,
  ],
  [
    'no standby table',
    { tables: new Map([['neardns-0a1b2c3d', ['notrack']]]) },
    /: the standby rules$/,
  ],
  [
    'no jump in iptables',
    { plan: iptables, saved: saved.replace(/.*-j NEARDNS-PREROUTING\n/, '') },
    /\(iptables\): the jump from PREROUTING/,
  ],
  [
    'a standby that is silent',
    { standby: [{ place: '10.244.0.2:53', failures: ['no reply within 1000 ms'] }] },
    /10\.244\.0\.2:53 does not answer/,
  ],
  [
    'queries that are tracked',
    { tracked: ['ipv4 2 udp 17 29 src=10.244.0.9 dst=169.254.20.10 sport=1 dport=53 src=x'] },
    /1 queries to our addresses were tracked just now/,
  ],
  ['a full connection table', { connections: { count: 950, max: 1000 } }, /holds 950 of 1000/],
  [
    'a clock in the past',
    { nowMs: 0 },
    /the clock says 1970-01-01T00:00:00\.000Z, before this program/,
  ],
]
for (const [what, node, says] of planted) {
  test(`${what}: found, with cause and cure`, () => {
    const faults = nodeFindings({ ...healthy, ...node }).filter(({ state }) => state === 'fault')
    assert.is(faults.length, 1, JSON.stringify(faults))
    assert.match(faults[0]?.what ?? '', says)
    assert.ok((faults[0]?.cause ?? '') !== '' && (faults[0]?.next ?? '') !== '')
  })
}

test('what is in the way of trust is told, and a slow clock', () => {
  const notes = nodeFindings({
    ...healthy,
    clockSource: 'hpet',
    trust: { level: 'cautious', reasons: ['line 3: rewrite', 'line 4: template'] },
  }).filter(({ state }) => state === 'note')
  assert.equal(
    notes.map(({ what }) => what),
    [
      'the kernel reads its clock from hpet, which is slow',
      'cautious: line 3: rewrite, and 1 more',
    ],
  )
})

test('rules that cannot be read are not looked at', () => {
  const states = (node: Partial<LookedAtNode>) =>
    nodeFindings({ ...healthy, ...node }).map(({ state }) => state)
  assert.ok(states({ tables: undefined }).includes('unknown'))
  assert.ok(states({ plan: iptables, saved: '' }).includes('unknown'))
})

test.run()
