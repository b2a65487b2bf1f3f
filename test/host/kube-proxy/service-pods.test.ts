/**
 * Goal: the pods of a Service are found in the rules of every mode of kube-proxy, whichever iptables has written them.
 * Method: what a real kernel showed of the rules of kube-proxy 1.37.2 with two CoreDNS in both families (test/host/captures), iptables 1.8.7 of
 * Debian 11 and 1.8.11 of Debian 13 among them; what iptables-save printed; and rules as other versions spread the load.
 */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint } from '../../../src/config/address.ts'
import {
  podsInIptablesNft,
  podsInNftables,
  podsInSave,
  type ServicePods,
} from '../../../src/host/kube-proxy/service-pods.ts'
import { nested, text } from '../../../src/host/nft/attributes.ts'
import { Attribute, Expression } from '../../../src/host/nft/constants.ts'
import { type ExpressionFact, type RuleFact, readRule } from '../../../src/host/nft/decode.ts'
import { expressionsOf } from '../../../src/host/nft/expressions.ts'
import type { Nftables } from '../../../src/host/nft/nftables.ts'
import { jumpTo, rule } from '../made-rules.ts'
import { replayedNftables } from '../replayed-nftables.ts'
import { scriptedNftables } from '../scripted-nftables.ts'

const test = suite('host/kube-proxy/service-pods')

const kubeDns: Endpoint = { address: '10.96.0.10', port: 53, family: 4 }
const kubeDns6: Endpoint = { address: 'fd96::a', port: 53, family: 6 }
const nobody: Endpoint = { address: '10.96.0.99', port: 53, family: 4 }
const namesOf = (pods: ServicePods) =>
  pods?.map(({ address, port, family }) => `${address} ${port} ${family}`).toSorted()
const pods = ['10.78.0.2 53 4', '10.78.0.3 53 4']
const pods6 = ['fd78::2 53 6', 'fd78::3 53 6']

test('in nftables mode the map of ClusterIPs leads to the pods of either family', async () => {
  const nftables = replayedNftables('kube-proxy-nftables-1.37.2')
  assert.equal(namesOf(await podsInNftables(nftables, kubeDns)), pods)
  assert.equal(namesOf(await podsInNftables(nftables, kubeDns6)), pods6)
  assert.is(await podsInNftables(nftables, nobody), undefined)
  assert.is(await podsInIptablesNft(nftables, kubeDns), undefined, 'that is another mode')
})

for (const [debian, iptables] of [
  ['bullseye', '1.8.7, which writes the port as an xtables match'],
  ['trixie', '1.8.11, which writes it as a comparison'],
] as const) {
  test(`in iptables mode the pods are found in the rules of iptables ${iptables}`, async () => {
    const nftables = replayedNftables(`kube-proxy-iptables-1.37.2-${debian}`)
    assert.equal(namesOf(await podsInIptablesNft(nftables, kubeDns)), pods)
    assert.equal(namesOf(await podsInIptablesNft(nftables, kubeDns6)), pods6)
    assert.is(await podsInIptablesNft(nftables, nobody), undefined)
    assert.is(await podsInIptablesNft(nftables, { ...kubeDns, port: 9153 }), undefined, 'TCP only')
    assert.is(await podsInNftables(nftables, kubeDns), undefined, 'that is another mode')
  })
}

/** What kube-proxy 1.37.2 wrote in the node world: kube-dns and kube-dns-upstream with two pods each. */
const saved = readFileSync(
  new URL('../../fixtures/kube-proxy/iptables-nat-1.37.2.txt', import.meta.url),
  'utf8',
)

test('the pods of a Service are read out of what iptables-save prints', () => {
  assert.equal(
    podsInSave(saved, kubeDns)?.map(({ address, port }) => `${address} ${port}`),
    ['10.78.0.2 53', '10.78.0.3 53'],
  )
  assert.is(podsInSave(saved, nobody), undefined)
  assert.is(podsInSave(saved, { ...kubeDns, address: '10.96.0.1' }), undefined, 'a shorter address')
  assert.is(podsInSave(saved, { ...kubeDns, port: 5 }), undefined, 'a shorter port')
  assert.is(podsInSave('', kubeDns), undefined)
})

test('a Service without a ready pod is there and has none', () => {
  const chain = 'KUBE-SVC-TCOU7JCQXEZGVUNU'
  const text = saved
    .split('\n')
    .filter((line) => !line.startsWith(`-A ${chain} `))
    .join('\n')
  assert.equal(podsInSave(text, kubeDns), [])
})

test('in IPv6 the address of a pod stands in brackets', () => {
  const lines = [
    '-A KUBE-SERVICES -d fd96::a/128 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-X',
    '-A KUBE-SVC-X -m comment --comment "kube-system/kube-dns:dns -> [fd78::2]:53" -j KUBE-SEP-Y',
    '-A KUBE-SEP-Y -s fd78::2/128 -j KUBE-MARK-MASQ',
    '-A KUBE-SEP-Y -p udp -m udp -j DNAT --to-destination [fd78::2]:5353',
  ]
  assert.equal(namesOf(podsInSave(lines.join('\n'), kubeDns6)), ['fd78::2 5353 6'])
})

/** A rule that translates, as the kernel would show it. */
function translating(address: string, port: number): RuleFact {
  const verdict = { kind: 'dnat', family: 4, address, port } as const
  const made = nested(Attribute.ruleExpressions, ...expressionsOf({ matches: [], verdict }, 'ip'))
  return readRule({ type: 0, body: Buffer.concat([Buffer.alloc(4), made]) })
}

/** Rules by chain, behind a map that leads from any address to the chain `service`. */
function mapped(rules: Readonly<Record<string, readonly RuleFact[]>>): Nftables {
  return {
    ...scriptedNftables({ rules: ({ chain }) => rules[chain] ?? [] }),
    element: async () => ({ value: undefined, chain: 'service' }),
  }
}

test('pods behind affinity and topology chains are found, each once', async () => {
  const nftables = mapped({
    service: [jumpTo('affinity'), jumpTo('pod1'), jumpTo('pod2')],
    affinity: [jumpTo('pod1')],
    pod1: [translating('10.78.0.2', 53)],
    pod2: [translating('10.78.0.3', 5353), translating('10.78.0.3', 5353)],
  })
  const found = await podsInNftables(nftables, kubeDns)
  assert.equal(namesOf(found), ['10.78.0.2 53 4', '10.78.0.3 5353 4'])
})

test('chains in a circle, or deeper than any kube-proxy makes them, end the search', async () => {
  const deep = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [i === 0 ? 'service' : `c${i}`, [jumpTo(`c${i + 1}`)]]),
  )
  const circle = mapped({ service: [jumpTo('service'), translating('10.78.0.2', 53)] })
  assert.equal(namesOf(await podsInNftables(circle, kubeDns)), ['10.78.0.2 53 4'])
  const at = (depth: number) => mapped({ ...deep, [`c${depth}`]: [translating('10.78.0.2', 53)] })
  assert.is((await podsInNftables(at(4), kubeDns))?.length, 1)
  assert.equal(await podsInNftables(at(5), kubeDns), [])
})

/** `target DNAT` of xtables with its revision and its bytes. */
function xtablesDnat(revision: number, info: Buffer): ExpressionFact {
  const { name, revision: revisionType, info: infoType } = Expression.xtables
  const number = Buffer.alloc(4)
  number.writeInt32BE(revision)
  return {
    name: 'target',
    data: new Map([
      [name, text(name, 'DNAT').subarray(4)],
      [revisionType, number],
      [infoType, info],
    ]),
  }
}

test('the target DNAT is read in its old form and its new one, and a short one not at all', async () => {
  const old = Buffer.alloc(20)
  old.set([10, 78, 0, 2], 8)
  old.writeUInt16BE(53, 16)
  const range = Buffer.alloc(40)
  range.set([10, 78, 0, 3], 4)
  range.writeUInt16BE(5353, 36)
  const found = async (revision: number, info: Buffer) =>
    namesOf(await podsInNftables(mapped({ service: [rule(xtablesDnat(revision, info))] }), kubeDns))
  assert.equal(await found(0, old), ['10.78.0.2 53 4'])
  assert.equal(await found(2, range), ['10.78.0.3 5353 4'])
  assert.equal(await found(0, old.subarray(0, 19)), [])
  assert.equal(await found(2, range.subarray(0, 39)), [])
})

test.run()
