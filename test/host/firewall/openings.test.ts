/**
 * Goal: a firewall that we may not change counts as open only where one of its rules can be meant for DNS of pods.
 * Method: rules as the kernel shows them, and the real rules of a firewalld that lets in SSH, Cockpit and DHCP.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { guardedChains } from '../../../src/host/firewall/guarded-chains.ts'
import { hasOpening } from '../../../src/host/firewall/openings.ts'
import { verdictCode } from '../../../src/host/nft/constants.ts'
import type { RuleFact } from '../../../src/host/nft/decode.ts'
import type { Place } from '../../../src/host/nft/model.ts'
import { accepting, comparison, jumpTo, reject, rule } from '../made-rules.ts'
import { replayedNftables } from '../replayed-nftables.ts'
import { scriptedNftables } from '../scripted-nftables.ts'

const test = suite('host/firewall/openings')

const at = { family: 'inet', table: 'firewalld', chain: 'in' } as const

/** @param rules of a zone that the base chain jumps to before it refuses */
async function isOpenWith(...rules: readonly RuleFact[]): Promise<boolean> {
  const nftables = scriptedNftables({
    rules: ({ chain }) => (chain === 'in' ? [jumpTo('zone'), rule(reject)] : rules),
  })
  return await hasOpening(nftables, at, 53)
}

const port = (ports: number | readonly [number, number]) =>
  accepting([{ kind: 'port', protocol: 'udp', side: 'destination', ports }])

test('without a rule that accepts there is no opening', async () => {
  assert.is(await isOpenWith(), false)
  assert.is(await isOpenWith(rule(reject)), false)
})

test('rules for another port, the loopback or tracked connections are no opening', async () => {
  const fromLoopback = comparison(Buffer.from('lo\0'))
  const tracked = { name: 'ct', data: new Map() }
  const rules = [port(22), accepting([], fromLoopback), accepting([], tracked)]
  assert.is(await isOpenWith(...rules), false)
})

test('a link whose name begins like that of the loopback is another one', async () => {
  assert.is(await isOpenWith(accepting([], comparison(Buffer.from('lo0\0')))), true)
})

test('a rule for our port, or for a range that may have it, is an opening', async () => {
  assert.is(await isOpenWith(port(53)), true)
  assert.is(await isOpenWith(port([1, 1023])), true, 'ranges are taken as having ours')
})

test('a rule for a source port says nothing of the destination: it is not for queries', async () => {
  const source = { kind: 'port', protocol: 'udp', side: 'source', ports: 53 } as const
  assert.is(await isOpenWith(accepting([source])), false)
})

test('a zone that accepts everything is open, and so is a network that may do everything', async () => {
  assert.is(await isOpenWith(accepting([])), true)
  const source = { kind: 'address', family: 4, side: 'source', address: '10.77.0.0' } as const
  assert.is(await isOpenWith(accepting([source])), true)
})

test('rules behind jumps and gotos are read, each chain once', async () => {
  const asked: string[] = []
  const nftables = scriptedNftables({
    rules: ({ chain }: Place) => {
      asked.push(chain)
      if (chain === 'in') return [jumpTo('a'), jumpTo('b', verdictCode.goto), jumpTo('a')]
      return chain === 'b' ? [jumpTo('in'), port(53)] : [jumpTo('b')]
    },
  })
  assert.is(await hasOpening(nftables, at, 53), true)
  assert.equal(asked, ['in', 'a', 'b'])
})

test('a firewall of chains without end is given up on, as closed', async () => {
  let asked = 0
  const nftables = scriptedNftables({
    rules: ({ chain }) => {
      asked += 1
      return [jumpTo(`${chain}x`), jumpTo(`${chain}y`)]
    },
  })
  assert.is(await hasOpening(nftables, at, 53), false)
  assert.is(asked, 500)
})

test("firewalld's zone public opens SSH, and DNS no more than any other port", async () => {
  const nftables = replayedNftables('firewalld-2.3.1')
  const [base] = await guardedChains(nftables)
  assert.ok(base !== undefined)
  assert.is(await hasOpening(nftables, base, 53), false)
  assert.is(await hasOpening(nftables, base, 22), true)
})

test.run()
