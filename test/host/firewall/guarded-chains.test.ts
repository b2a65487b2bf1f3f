/**
 * Goal: every chain that would refuse a query to us is found, those that nobody but their owner can open are told apart, and no other is
 * touched. Method: scripted nftables, what a real kernel showed of firewalld and ufw, and saved texts of iptables-legacy.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  guardedChains,
  guardedInSave,
  isOfIptables,
} from '../../../src/host/firewall/guarded-chains.ts'
import { verdictCode } from '../../../src/host/nft/constants.ts'
import type { ExpressionFact } from '../../../src/host/nft/decode.ts'
import { comparison, counter, jumpTo, reject, rule, verdictFact } from '../made-rules.ts'
import { replayedNftables } from '../replayed-nftables.ts'
import { scriptedNftables } from '../scripted-nftables.ts'

const test = suite('host/firewall/guarded-chains')

const base = { hook: 1, priority: 0, type: 'filter', dropsByPolicy: false }
const condition = comparison(Buffer.from([6]))

test('chains that refuse by policy or by their last rule are found, those of iptables told apart', async () => {
  const nftables = scriptedNftables({
    baseChains: [
      { ...base, family: 'ip', table: 'filter', chain: 'INPUT', dropsByPolicy: true },
      { ...base, family: 'inet', table: 'firewalld', chain: 'filter_INPUT' },
      { ...base, family: 'inet', table: 'fw', chain: 'fwd', hook: 2, dropsByPolicy: true },
      { ...base, family: 'inet', table: 'x', chain: 'some', hook: 3 },
      { ...base, family: 'ip', table: 'y', chain: 'nat', type: 'nat', dropsByPolicy: true },
      { ...base, family: 'inet', table: 'neardns-00000000', chain: 'in', dropsByPolicy: true },
    ],
    rules: ({ table }) => {
      if (table === 'firewalld') return [rule(), rule(counter, reject)]
      // Refuses some packets only, and not as the last.
      return table === 'x' ? [rule(condition, reject), rule()] : []
    },
  })
  assert.equal(
    (await guardedChains(nftables)).map(({ table, hook, owner }) => `${table} ${hook} ${owner}`),
    ['filter input iptables', 'firewalld input nft'],
  )
})

test('a refusal at the end of a chain that is always jumped to counts, as deep as firewalls go', async () => {
  const isGuarded = async (depth: number) => {
    const nftables = scriptedNftables({
      baseChains: [{ ...base, family: 'inet', table: 'fw', chain: '0' }],
      rules: ({ chain }) => {
        const next = Number(chain) + 1
        return [rule(), next > depth ? rule(reject) : jumpTo(String(next))]
      },
    })
    return (await guardedChains(nftables)).length === 1
  }
  assert.equal([await isGuarded(0), await isGuarded(1), await isGuarded(3)], [true, true, true])
  assert.is(await isGuarded(4), false, 'deeper was never seen')
})

test('a chain that jumps to itself is read to its end', async () => {
  const nftables = scriptedNftables({
    baseChains: [{ ...base, family: 'inet', table: 'fw', chain: 'in' }],
    rules: () => [jumpTo('in')],
  })
  assert.equal(await guardedChains(nftables), [])
})

test('a last rule that drops, rejects or asks the xtables target REJECT refuses; with a condition it does not', async () => {
  const refuses = async (...expressions: readonly ExpressionFact[]) => {
    const nftables = scriptedNftables({
      baseChains: [{ ...base, family: 'inet', table: 'fw', chain: 'in' }],
      rules: () => [rule(...expressions)],
    })
    return (await guardedChains(nftables)).length === 1
  }
  assert.is(await refuses(counter, verdictFact(verdictCode.drop)), true)
  assert.is(await refuses(verdictFact(verdictCode.accept)), false)
  assert.is(await refuses(condition, verdictFact(verdictCode.drop)), false)
  // Attribute 1 of a target is its name.
  const target = (name: string) => ({
    name: 'target',
    data: new Map([[1, Buffer.from(`${name}\0`)]]),
  })
  assert.is(await refuses(target('REJECT')), true)
  assert.is(await refuses(target('LOG')), false)
})

test('firewalld refuses at input and not at output', async () => {
  const found = await guardedChains(replayedNftables('firewalld-2.3.1'))
  assert.equal(found, [
    { family: 'inet', table: 'firewalld', chain: 'filter_INPUT', hook: 'input', owner: 'nft' },
  ])
})

test('a firewalld whose table is its own is closed: SSH and DHCP are no opening for DNS', async () => {
  const owned = [{ family: 'inet', name: 'firewalld', isOwned: true }] as const
  const [one] = await guardedChains(
    replayedNftables('firewalld-2.3.1', { tables: async () => owned }),
  )
  assert.match(one?.closed ?? '', 'flags owner')
  const forSsh = replayedNftables('firewalld-2.3.1', { tables: async () => owned })
  assert.equal(await guardedChains(forSsh, 22), [], 'it lets in SSH by itself')
  const other = [{ family: 'ip', name: 'firewalld', isOwned: true }] as const
  const [open] = await guardedChains(
    replayedNftables('firewalld-2.3.1', { tables: async () => other }),
  )
  assert.is(open?.closed, undefined, 'a table of another family is another one')
})

test('ufw drops by policy at input in both families, and is changed with iptables only', async () => {
  const found = await guardedChains(replayedNftables('ufw-0.36.2'))
  assert.equal(
    found.map(({ family, chain, hook, owner, variant }) =>
      [family, chain, hook, owner, variant].join(' '),
    ),
    ['ip INPUT input iptables nft', 'ip6 INPUT input iptables nft'],
  )
})

test("Calico's drop of what pods send to their node closes INPUT, in iptables-legacy as well", async () => {
  const nftables = scriptedNftables({
    baseChains: [{ ...base, family: 'ip', table: 'filter', chain: 'INPUT' }],
    rules: ({ chain }) => (chain === 'cali-wl-to-host' ? [rule(counter, reject)] : [rule()]),
  })
  const [one] = await guardedChains(nftables)
  assert.match(one?.closed ?? '', 'defaultEndpointToHostAction')
  const saved = (action: string) =>
    `*filter\n:INPUT ACCEPT [0:0]\n-A cali-wl-to-host -m comment --comment "Configured DefaultEndpointToHostAction" -j ${action}\nCOMMIT\n`
  const [legacy] = guardedInSave(saved('DROP'), 'ip')
  assert.match(legacy?.closed ?? '', 'defaultEndpointToHostAction')
  assert.is(legacy?.variant, 'legacy')
  assert.equal(guardedInSave(saved('ACCEPT'), 'ip'), [])
  const strict = saved('DROP').replace('COMMIT', '-A OUTPUT -j DROP\nCOMMIT')
  const isClosed = guardedInSave(strict, 'ip').map(({ chain, closed }) => [
    chain,
    closed !== undefined,
  ])
  assert.equal(isClosed, [
    ['INPUT', true],
    ['OUTPUT', false],
  ])
  const [open] = guardedInSave('*filter\n:INPUT DROP [0:0]\nCOMMIT\n', 'ip')
  assert.is(open?.closed, undefined)
})

test("Calico's nftables dataplane has its own table and chain, and its drops at output concern no query", async () => {
  const nftables = scriptedNftables({
    baseChains: [
      { ...base, family: 'ip', table: 'calico', chain: 'filter-INPUT' },
      { ...base, family: 'ip', table: 'calico', chain: 'filter-OUTPUT', hook: 3 },
    ],
    rules: ({ chain }) =>
      chain === 'filter-cali-wl-to-host' ? [rule(verdictFact(verdictCode.drop))] : [],
  })
  const found = await guardedChains(nftables)
  assert.equal(
    found.map(({ chain, closed }) => [chain, closed !== undefined]),
    [['filter-INPUT', true]],
  )
})

test('in tables of iptables-legacy the same is seen in what its save program prints', () => {
  const saved = (rules: string) =>
    `*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`
  const chains = (rules: string) => guardedInSave(saved(rules), 'ip').map(({ chain }) => chain)
  assert.equal(chains(''), ['INPUT'])
  const last = '-A OUTPUT -j REJECT --reject-with icmp-host-prohibited\n'
  assert.equal(chains(`-A OUTPUT -o lo -j ACCEPT\n${last}`), ['INPUT', 'OUTPUT'])
  assert.equal(chains(`${last}-A OUTPUT -j KUBE-FIREWALL\n`), ['INPUT'], 'it is not the last')
  const some = '-A OUTPUT -d 192.0.2.1/32 -j DROP\n'
  assert.equal(chains(some), ['INPUT'], 'it refuses some packets only')
})

test("ufw's rules are guarded in their saved form too, each family by itself", () => {
  for (const [name, family] of [
    ['ipv4', 'ip'],
    ['ipv6', 'ip6'],
  ] as const) {
    const file = new URL(`../../fixtures/firewalls/ufw-0.36.2-${name}.txt`, import.meta.url)
    const found = guardedInSave(readFileSync(file, 'utf8'), family)
    assert.equal(
      found.map((one) => `${one.family} ${one.chain} ${one.owner} ${one.variant}`),
      [`${family} INPUT iptables legacy`],
    )
  }
})

test('a save that has no table filter guards nothing', () => {
  assert.equal(guardedInSave('*nat\n:INPUT DROP [0:0]\nCOMMIT\n', 'ip'), [])
  assert.equal(guardedInSave('', 'ip6'), [])
})

test('chains of iptables are those of its table filter; the same name in a table of both families is not', () => {
  const at = { family: 'ip6', table: 'filter', chain: 'INPUT' } as const
  assert.is(isOfIptables(at), true)
  assert.is(isOfIptables({ ...at, family: 'inet' }), false)
  assert.is(isOfIptables({ ...at, chain: 'ufw-input' }), false)
  assert.is(isOfIptables({ ...at, table: 'fw' }), false)
})

test.run()
