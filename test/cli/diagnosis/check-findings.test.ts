/*
 * Goal: each thing that stands in neardns's way on a node is found before anything runs, with its cause and what to do. Method: a healthy
 * node as facts, and one fault after the other planted in it; the plan is the real one. Rights, ports and memory: check-process.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkFindings } from '../../../src/cli/diagnosis/check-findings.ts'
import { exitCodeOf } from '../../../src/cli/diagnosis/finding.ts'
import { aNode, type PlantedNode } from './checked-node.ts'

const test = suite('cli/diagnosis/check-findings')

test('a node that will do gets ticks only', () => {
  const findings = checkFindings(aNode({}))
  assert.equal(
    findings.filter(({ state }) => state !== 'ok'),
    [],
  )
  assert.ok(findings.length >= 9, String(findings.length))
})

const planted: [what: string, node: PlantedNode, says: RegExp, next: RegExp][] = [
  [
    'an old kernel without iptables',
    {
      facts: { kernel: '5.4.0', noNftables: 'kernel 5.4 lacks what it takes', iptables: undefined },
    },
    /nothing can be intercepted on kernel 5\.4\.0.*lacks what it takes/,
    /install it in the image/,
  ],
  [
    'mode nftables on a kernel that is too old',
    { mode: 'nftables', facts: { kernel: '5.4.0' } },
    /has no tables that die with their owner/,
    /interception\.mode to iptables/,
  ],
  [
    'an address of `listen` that nobody puts there',
    { listen: ['192.0.2.7:53'] },
    /192\.0\.2\.7:53 is on no link/,
    /interception: addresses: \[192\.0\.2\.7\]/,
  ],
  [
    'NodeLocal DNSCache that serves the address',
    {
      facts: {
        leftovers: [{ family: 4, variant: 'nft', table: 'raw', rule: '-D PREROUTING x' }],
        servedByOthers: ['169.254.20.10'],
      },
    },
    /1 rules of NodeLocal DNSCache.*still serves 169\.254\.20\.10/,
    /delete daemonset node-local-dns/,
  ],
  [
    'no CoreDNS to stand in',
    { facts: { standby: [], standbyGaps: ['10.96.0.11:53: no rule of kube-proxy'] } },
    /have no DNS.*10\.96\.0\.11:53: no rule of kube-proxy/,
    /interception\.standbyTo/,
  ],
  [
    'a firewall that only its owner can open',
    {
      facts: {
        guarded: [
          {
            family: 'inet',
            table: 'firewalld',
            chain: 'filter_INPUT',
            hook: 'input',
            owner: 'nft',
            closed: 'its owner locks the table',
          },
        ],
      },
    },
    /inet firewalld filter_INPUT refuses.*its owner locks the table/,
    /firewall-cmd/,
  ],
]
for (const [what, node, says, next] of planted) {
  test(`${what} is found, with cause and cure`, () => {
    const findings = checkFindings(aNode(node))
    const faults = findings.filter(({ state }) => state === 'fault')
    assert.is(exitCodeOf(findings), 1)
    const [found] = faults.filter((one) => says.test(`${one.what}: ${one.cause}`))
    assert.ok(found, JSON.stringify(faults))
    assert.match(found.next ?? '', next)
  })
}

test('rules that cannot be read are not looked at, and not taken for absent', () => {
  for (const facts of [
    { kubeProxy: 'unreadable', unreadable: ['iptables-legacy-save: not permitted'] },
    { kubeProxy: 'none', noNftables: 'nf_tables: operation not permitted' },
  ] as const) {
    const findings = checkFindings(aNode({ facts }))
    assert.ok(findings.some(({ about, state }) => about === 'kube-proxy' && state === 'unknown'))
  }
})

test('each mode of kube-proxy is named, with what it means', () => {
  const told = (kubeProxy: 'iptables' | 'nftables' | 'ipvs') =>
    checkFindings(aNode({ facts: { kubeProxy } })).find(({ about }) => about === 'kube-proxy')?.what
  assert.is(told('iptables'), 'iptables, variant nft')
  assert.is(told('nftables'), 'nftables')
  assert.match(told('ipvs') ?? '', /^ipvs; the ClusterIP stays with it/)
})

test.run()
