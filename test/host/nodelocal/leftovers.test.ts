// Goal: what NodeLocal DNSCache left is taken away, and nothing that still serves. Method: scripted programs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LeftoverRule } from '../../../src/host/facts.ts'
import { clearLeftovers } from '../../../src/host/nodelocal/leftovers.ts'
import { facts } from '../made-plan.ts'
import { failed, scriptedRun } from '../scripted-run.ts'

const test = suite('host/nodelocal/leftovers')

const rule = (table: 'raw' | 'filter', chain: string): LeftoverRule => ({
  family: 4,
  variant: 'nft',
  table,
  rule: `-D ${chain} -d 169.254.20.10/32 -p udp -m udp --dport 53 -j ${table === 'raw' ? 'NOTRACK' : 'ACCEPT'}`,
})
const leftovers = [rule('raw', 'PREROUTING'), rule('filter', 'INPUT'), rule('raw', 'OUTPUT')]

test('without leftovers no program is started', async () => {
  const { run, ran } = scriptedRun()
  assert.equal(await clearLeftovers(run, facts), [])
  assert.equal(ran, [])
})

test('the rules of one variant and family go in one call, in which each table stands once', async () => {
  const { run, ran, fed } = scriptedRun()
  const v6: LeftoverRule = { ...rule('raw', 'PREROUTING'), family: 6, variant: 'legacy' }
  assert.equal(await clearLeftovers(run, { ...facts, leftovers: [...leftovers, v6] }), [])
  assert.equal(ran, [
    'iptables-nft-restore --noflush --wait 5',
    'ip6tables-legacy-restore --noflush --wait 5',
  ])
  const [raw0, filter0, raw1] = leftovers.map((one) => one.rule)
  assert.is(fed[0], `*raw\n${raw0}\n${raw1}\nCOMMIT\n*filter\n${filter0}\nCOMMIT\n`)
})

test('while another process listens on an address its rules are left alone, and that is said', async () => {
  const { run, ran } = scriptedRun()
  const served = { ...facts, leftovers, servedByOthers: ['169.254.20.10'] }
  const [trouble] = await clearLeftovers(run, served)
  assert.equal([trouble?.kind, ran], ['address_taken', []])
  assert.match(trouble?.what ?? '', '169.254.20.10')
})

test('a failure in one family does not keep the other from being cleared', async () => {
  const { run, ran } = scriptedRun({ 'iptables-nft': failed('xtables lock') })
  const v6: LeftoverRule = { ...rule('raw', 'PREROUTING'), family: 6 }
  const troubles = await clearLeftovers(run, { ...facts, leftovers: [rule('raw', 'OUTPUT'), v6] })
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['lock_held'],
  )
  assert.is(ran.length, 2)
})

test.run()
