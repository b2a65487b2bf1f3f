// Goal: the texts for iptables-restore put our rules there once, under a lease, and take away ours alone. Method: made plans, saved texts.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  acceptRestoreText,
  chainsOnlyOurs,
  leaseHits,
  leaseWrites,
  leftoverRemovalText,
  nodeLocalRules,
  removalText,
  restoreText,
} from '../../../src/host/backends/iptables-rules.ts'
import { makePlan } from '../../../src/host/plan.ts'
import { facts, planFor, settings } from '../made-plan.ts'

const test = suite('host/backends/iptables-rules')

/** The table nat of a real kube-proxy. */
const kubeProxyNat = readFileSync(
  new URL('../../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
  'utf8',
)

test("iptables gets NodeLocal's rules with a lease on what intercepts, and each jump once", () => {
  const plan = makePlan(settings({ mode: 'iptables' }), facts)
  const text = restoreText(plan, 4, { table: 'raw', saved: '*raw\n:PREROUTING ACCEPT [0:0]\n' })
  const lease = '-m recent --name neardns4 --rcheck --rdest --seconds 1 --hitcount 4'
  const to = '-d 169.254.20.10/32 -p udp -m udp --dport 53'
  assert.match(text, `-A NEARDNS-PREROUTING ${to} ${lease} -j NOTRACK\n`)
  assert.match(text, `-A NEARDNS-OUTPUT ${to} ${lease} -j NOTRACK\n`)
  assert.match(text, '-A NEARDNS-OUTPUT -s 169.254.20.10/32 -p udp -m udp --sport 53 -j NOTRACK\n')
  assert.match(text, '-I PREROUTING 1 -j NEARDNS-PREROUTING\n')
  const again = restoreText(plan, 4, {
    table: 'raw',
    saved: '*raw\n-A PREROUTING -j NEARDNS-PREROUTING\n',
  })
  assert.not.match(again, '-I PREROUTING')
  assert.match(again, '-I OUTPUT 1 -j NEARDNS-OUTPUT')
})

test('a lease needs fewer writes than are made in its time', () => {
  assert.ok(leaseHits < leaseWrites, 'one write may be late')
  const longer = planFor({ mode: 'iptables', leaseSeconds: 2 })
  const text = restoreText(longer, 4, { table: 'raw', saved: '' })
  assert.match(text, `--seconds 2 --hitcount ${leaseHits} -j NOTRACK`)
})

test('replies and our own test question need no lease: they must leave whatever is intercepted', () => {
  const lines = restoreText(planFor(), 4, { table: 'raw', saved: '' }).split('\n')
  const host = '169.254.20.10/32'
  assert.ok(lines.includes(`-A NEARDNS-OUTPUT -s ${host} -p udp -m udp --sport 53 -j NOTRACK`))
  const probe = `-s ${host} -d ${host} -p udp -m udp --sport 512:1023 --dport 53`
  assert.ok(lines.includes(`-A NEARDNS-OUTPUT ${probe} -j NOTRACK`))
  const leased = lines.filter((line) => line.includes('-m recent'))
  assert.ok(leased.every((line) => / -d \S+ -p (udp|tcp) .* --dport 53 /.test(line)))
})

test("with kube-proxy's nftables the node's own queries to the ClusterIP are not taken", () => {
  const plan = planFor({ mode: 'iptables' }, { kubeProxy: 'nftables' })
  const text = restoreText(plan, 4, { table: 'raw', saved: '' })
  assert.match(text, '-A NEARDNS-PREROUTING -d 10.96.0.10/32 -p udp')
  assert.not.match(text, '-A NEARDNS-OUTPUT -d 10.96.0.10/32')
})

test('the standby goes to each pod with an equal chance, and only for own addresses', () => {
  const text = restoreText(planFor(), 4, { table: 'nat', saved: kubeProxyNat })
  const to = '-d 169.254.20.10/32 -p udp -m udp --dport 53'
  const half = '-m statistic --mode random --probability 0.5000000000'
  for (const chain of ['PREROUTING', 'OUTPUT']) {
    assert.match(text, `-A NEARDNS-${chain} ${to} ${half} -j DNAT --to-destination 10.244.0.2:53\n`)
    assert.match(text, `-A NEARDNS-${chain} ${to} -j DNAT --to-destination 10.244.1.2:5353\n`)
  }
  assert.not.match(text, '-d 10.96.0.10/32')
  assert.match(text, '-s 10.96.0.10/32 -m conntrack --ctstate DNAT -j MASQUERADE\n')
  const v6 = planFor({ addresses: ['fd00::10'] })
  const text6 = restoreText(v6, 6, { table: 'nat', saved: '' })
  assert.match(
    text6,
    '-d fd00::10/128 -p udp -m udp --dport 53 -j DNAT --to-destination [fd00:244::2]:53',
  )
  assert.not.match(text6, '10.244.0.2')
})

test('a standby that expires holds while its list was written not long ago', () => {
  const lasting = restoreText(planFor(), 4, { table: 'nat', saved: kubeProxyNat })
  assert.not.match(lasting, 'recent')
  const plan = planFor({ standbyExpirySeconds: 86_400 })
  const text = restoreText(plan, 4, { table: 'nat', saved: kubeProxyNat })
  const holds = '-m recent --name neardns-standby4 --rcheck --rdest --seconds 86400'
  const rules = text.split('\n').filter((line) => line.includes('DNAT --to-destination'))
  assert.ok(rules.length > 0 && rules.every((line) => line.includes(`--dport 53 ${holds} `)), text)
})

test('tables and built-in chains made by our rules are marked, existing ones are not', () => {
  const state = { table: 'nat', saved: kubeProxyNat } as const
  assert.not.match(restoreText(planFor(), 4, state), 'neardns: made')
  const missing = restoreText(planFor(), 4, { ...state, missing: ['OUTPUT'] })
  assert.match(missing, '-A NEARDNS-OUTPUT -m comment --comment "neardns: made OUTPUT"')
  assert.not.match(missing, 'made PREROUTING')
  const mark = '-A NEARDNS-OUTPUT -m comment --comment "neardns: made this table"'
  assert.match(restoreText(planFor(), 4, { table: 'raw', saved: '' }), mark)
  // The second time the table is there, because of us.
  const again = `*raw\n:PREROUTING ACCEPT [0:0]\n${mark}\nCOMMIT\n`
  assert.match(restoreText(planFor(), 4, { table: 'raw', saved: again }), mark)
  const kept = `*nat\n-A NEARDNS-OUTPUT -m comment --comment "neardns: made OUTPUT"\nCOMMIT\n`
  assert.match(restoreText(planFor(), 4, { table: 'nat', saved: kept }), '"neardns: made OUTPUT"')
})

test('a removal takes jumps before chains, and says nothing where nothing is', () => {
  const saved = `*raw
:PREROUTING ACCEPT [0:0]
:NEARDNS-PREROUTING - [0:0]
-A PREROUTING -j NEARDNS-PREROUTING
-A NEARDNS-PREROUTING -d 169.254.20.10/32 -j CT --notrack
COMMIT
`
  assert.is(
    removalText('raw', saved),
    '*raw\n-D PREROUTING -j NEARDNS-PREROUTING\n-F NEARDNS-PREROUTING\n-X NEARDNS-PREROUTING\nCOMMIT\n',
  )
  assert.is(removalText('raw', '*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n'), undefined)
})

test("a removal takes our accept rules out of other people's chains and leaves their rules", () => {
  assert.is(removalText('nat', kubeProxyNat), undefined)
  const ours =
    '-A INPUT -d 169.254.20.10/32 -p udp -m udp --dport 53 -m comment --comment "neardns: DNS of this node" -j ACCEPT'
  const saved = `*filter\n:INPUT DROP [0:0]\n${ours}\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n`
  assert.is(removalText('filter', saved), `*filter\n${ours.replace('-A', '-D')}\nCOMMIT\n`)
})

test('only the chains of the table itself are removed from it', () => {
  const saved = '*filter\n:NEARDNS-INPUT - [0:0]\n:NEARDNS-PREROUTING - [0:0]\nCOMMIT\n'
  assert.is(removalText('filter', saved), '*filter\n-F NEARDNS-INPUT\n-X NEARDNS-INPUT\nCOMMIT\n')
})

test('a built-in chain is taken away when we made it and nobody else has a rule in it', () => {
  const mark = '-A NEARDNS-OUTPUT -m comment --comment "neardns: made OUTPUT"\n'
  const jump = '-A OUTPUT -j NEARDNS-OUTPUT\n'
  assert.equal(chainsOnlyOurs('nat', `*nat\n${jump}${mark}COMMIT\n`), ['OUTPUT'])
  assert.equal(chainsOnlyOurs('nat', `*nat\n${jump}COMMIT\n`), [], 'it was there')
  const other = '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n'
  assert.equal(chainsOnlyOurs('nat', `*nat\n${jump}${other}${mark}COMMIT\n`), [])
})

test('an accept for a chain of iptables stands at its head, in the direction that the chain sees', () => {
  const host = '169.254.20.10/32'
  const comment = '-m comment --comment "neardns: DNS of this node"'
  const input = acceptRestoreText(planFor(), 4, 'INPUT')
  assert.match(input, `-I INPUT 1 -d ${host} -p udp -m udp --dport 53 ${comment} -j ACCEPT\n`)
  assert.not.match(input, '--sport')
  const output = acceptRestoreText(planFor(), 4, 'OUTPUT')
  assert.match(output, `-I OUTPUT 1 -s ${host} -p tcp -m tcp --sport 53 ${comment} -j ACCEPT\n`)
  assert.not.match(output, 'NEARDNS')
})

test("NodeLocal's rules are known with and without its comment, others are not", () => {
  const match = '-d 169.254.20.10/32 -p udp -m udp --dport 53'
  const rules = [
    `-A PREROUTING ${match} -m comment --comment "NodeLocal DNS Cache: skip conntrack" -j CT --notrack`,
    `-A PREROUTING ${match} -j CT --notrack`,
    '-A OUTPUT -s 169.254.20.10/32 -p tcp -m tcp --sport 8080 -j NOTRACK',
    `-A INPUT ${match} -m comment --comment "somebody else" -j ACCEPT`,
    '-A INPUT -d 10.0.0.1/32 -p udp -m udp --dport 53 -j ACCEPT',
    `-A NEARDNS-INPUT ${match} -j ACCEPT`,
  ]
  const origin = { family: 4, variant: 'nft', table: 'raw' } as const
  const found = nodeLocalRules(rules.join('\n'), ['169.254.20.10'], origin)
  assert.equal(
    found.map(({ rule }) => rule.replace('-D', '-A')),
    rules.slice(0, 3),
  )
})

test('leftovers are removed with one section for each table', () => {
  const rule = { family: 4, variant: 'nft', rule: '-D OUTPUT -j NOTRACK' } as const
  assert.is(
    leftoverRemovalText([
      { ...rule, table: 'raw' },
      { ...rule, table: 'filter' },
      { ...rule, table: 'raw' },
    ]),
    '*raw\n-D OUTPUT -j NOTRACK\n-D OUTPUT -j NOTRACK\nCOMMIT\n*filter\n-D OUTPUT -j NOTRACK\nCOMMIT\n',
  )
  assert.is(leftoverRemovalText([]), '')
})

test.run()
