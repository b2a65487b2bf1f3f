/**
 * Goal: the nftables form of a plan is put there in one step, kept alive and made again, and nothing of ours intercepts after us.
 * Method: scripted nftables; what is changed is noted, and fails where the test says so.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NftRules } from '../../../src/host/backends/nft-backend.ts'
import { ownedTablePattern, standbyName } from '../../../src/host/backends/nft-rules.ts'
import type { TableFact } from '../../../src/host/nft/decode.ts'
import type { NftChange } from '../../../src/host/nft/model.ts'
import type { Trouble } from '../../../src/host/trouble.ts'
import type { NetlinkResult } from '../../../src/system/netlink.ts'
import { planFor } from '../made-plan.ts'
import { type NftScript, scriptedNftables } from '../scripted-nftables.ts'
import { scriptedRun } from '../scripted-run.ts'

const test = suite('host/backends/nft-backend')

const own = { addresses: ['169.254.20.10'], clusterIps: [] }
const gone: NetlinkResult = { ok: false, code: 'ENOENT', why: 'ENOENT' }

/** Rules over nftables whose transactions a test sees one by one. */
function backend(script: NftScript = {}) {
  const transactions: (readonly NftChange[])[] = []
  const nftables = scriptedNftables({
    ...script,
    change: async (changes) => {
      transactions.push(changes)
      return (await script.change?.(changes)) ?? { ok: true }
    },
  })
  const rules = new NftRules(scriptedRun().run, nftables)
  const lost: Trouble[] = []
  rules.onLost = (trouble) => lost.push(trouble)
  return { rules, transactions, lost }
}

const kindsOf = (changes: readonly NftChange[] | undefined) => changes?.map(({ kind }) => kind)
const ownedIn = (transactions: readonly (readonly NftChange[])[]) =>
  transactions.flat().flatMap((change) => (change.kind === 'addTable' ? [change.table.name] : []))

test('the standby comes first, then the owned table with sets that intercept nothing yet', async () => {
  const { rules, transactions } = backend()
  assert.equal(await rules.install(planFor(own)), [])
  assert.equal(transactions.map(kindsOf), [['replaceTable'], ['addTable', 'fillSet']])
  const fill = transactions[1]?.[1]
  assert.equal(fill?.kind === 'fillSet' && fill.addresses, [])
  assert.ok(rules.isInstalled)
  assert.match(ownedIn(transactions)[0] ?? '', ownedTablePattern)
})

test('the owned tables of two daemons have different names', async () => {
  const names = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const { rules, transactions } = backend()
      await rules.install(planFor(own))
      return ownedIn(transactions)[0]
    }),
  )
  assert.is(new Set(names).size, 8)
})

test('the lasting part can be installed alone and intercepts nothing', async () => {
  const { rules, transactions } = backend()
  assert.equal(await rules.installLasting(planFor(own)), [])
  assert.equal(transactions.map(kindsOf), [['replaceTable']])
  assert.not.ok(rules.isInstalled)
  assert.equal(await rules.renew(planFor(own).addresses), [])
  assert.is(transactions.length, 1)
})

test('a changed plan replaces the table in one transaction, with the intercepted addresses in it', async () => {
  const { rules, transactions } = backend()
  const plan = planFor(own)
  await rules.install(plan)
  await rules.renew(plan.addresses)
  await rules.install(planFor({ ...own, clusterIps: ['10.96.0.10'] }))
  const last = transactions.at(-1)
  assert.equal(kindsOf(last), ['addTable', 'fillSet', 'deleteTable'])
  assert.equal(last?.[1]?.kind === 'fillSet' && last[1].addresses, ['169.254.20.10'])
  const [first, second] = ownedIn(transactions)
  assert.is.not(first, second)
  assert.is(last?.[2]?.kind === 'deleteTable' && last[2].name, first)
})

test('a failed transaction leaves the previous table in force', async () => {
  let isFull = false
  const { rules, transactions } = backend({
    change: async ([first]) =>
      isFull && first?.kind === 'addTable'
        ? { ok: false, code: 'ENOMEM', why: 'ENOMEM' }
        : { ok: true },
  })
  const plan = planFor(own)
  await rules.install(plan)
  isFull = true
  const troubles = await rules.install(plan)
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['rules_failed'],
  )
  assert.ok(rules.isInstalled)
  await rules.renew(plan.addresses)
  const fill = transactions.at(-1)?.[0]
  assert.is(fill?.kind === 'fillSet' && fill.table, ownedIn(transactions)[0])
})

test('a lost owned table is reported at once and made again by the next check', async () => {
  let isGone = false
  const { rules, transactions, lost } = backend({
    change: async ([first]) => (isGone && first?.kind === 'fillSet' ? gone : { ok: true }),
  })
  const plan = planFor(own)
  await rules.install(plan)
  isGone = true
  assert.equal(await rules.renew(plan.addresses), [], 'it is told otherwise')
  assert.equal(
    lost.map(({ kind }) => kind),
    ['rules_flushed'],
  )
  isGone = false
  assert.equal(await rules.check(), [])
  const made = transactions.at(-1)
  assert.equal(kindsOf(made), ['addTable', 'fillSet'], 'there is nothing to delete')
  assert.equal(made?.[1]?.kind === 'fillSet' && made[1].addresses, ['169.254.20.10'])
})

test('any other failed renewal is a trouble, and the table is made again', async () => {
  let code = 'EPERM'
  const { rules, transactions, lost } = backend({
    change: async ([first]) =>
      first?.kind === 'fillSet' && code !== '' ? { ok: false, code, why: code } : { ok: true },
  })
  const plan = planFor(own)
  await rules.install(plan)
  const [trouble] = await rules.renew(plan.addresses)
  assert.is(trouble?.kind, 'no_permission')
  assert.equal([rules.isInstalled, lost], [false, []])
  code = ''
  assert.equal(await rules.check(), [])
  assert.ok(rules.isInstalled)
  assert.is(ownedIn(transactions).length, 2)
})

test('the standby is compared only after a change of rules, and restored if it differs', async () => {
  const state = { generation: 1, print: 'as made', looks: 0 }
  const { rules, transactions } = backend({
    generation: async () => state.generation,
    fingerprint: async () => {
      state.looks += 1
      return state.print
    },
  })
  await rules.install(planFor(own))
  await rules.check()
  const { looks } = state
  state.print = 'flushed'
  assert.equal(await rules.check(), [])
  assert.is(state.looks, looks, 'nobody has changed anything')
  state.generation += 1
  const before = transactions.length
  const [trouble] = await rules.check()
  assert.is(trouble?.kind, 'rules_flushed')
  assert.match(trouble?.what ?? '', standbyName(planFor(own)))
  assert.equal(transactions.slice(before).map(kindsOf), [['replaceTable']])
  state.generation += 1
  assert.equal(await rules.check(), [], 'it is as it was made now')
})

test('a standby that expires is filled with its table, and renewed by checks, not by each', async () => {
  const { rules, transactions } = backend()
  await rules.install(planFor({ ...own, standbyExpirySeconds: 3600 }))
  assert.equal(kindsOf(transactions[0]), ['replaceTable', 'fillSet'])
  const before = transactions.length
  await rules.check()
  await rules.check()
  assert.equal(transactions.slice(before).map(kindsOf), [['fillSet']])
})

test('standby tables of an earlier configuration are removed unless another daemon may need them', async () => {
  const table = (name: string): TableFact => ({ family: 'inet', name, isOwned: false })
  const old = table('neardns-standby-00000000')
  const deletedAmong = async (...tables: readonly TableFact[]) => {
    const { rules, transactions } = backend({ tables })
    await rules.install(planFor(own))
    return transactions
      .flat()
      .flatMap((change) => (change.kind === 'deleteTable' ? [change.name] : []))
  }
  assert.equal(await deletedAmong(old, table('kube-proxy'), table('neardns-notes')), [old.name])
  assert.equal(await deletedAmong(table(standbyName(planFor(own)))), [], 'our own')
  assert.equal(await deletedAmong(old, table('neardns-0a0b0c0d')), [])
})

test('new pods change the standby and nothing else', async () => {
  const { rules, transactions } = backend()
  await rules.install(planFor(own))
  const before = transactions.length
  const standby = [{ address: '10.244.9.9', port: 53, family: 4 as const }]
  assert.equal(await rules.updateStandby(planFor(own, { standby })), [])
  assert.equal(transactions.slice(before).map(kindsOf), [['replaceTable']])
})

test('close() removes the owned table and leaves the standby', async () => {
  const { rules, transactions } = backend()
  await rules.install(planFor(own))
  const [owned] = ownedIn(transactions)
  await rules.close()
  assert.equal(transactions.at(-1), [{ kind: 'deleteTable', family: 'inet', name: owned }])
  assert.not.ok(rules.isInstalled)
  const { length } = transactions
  await rules.close()
  assert.equal([await rules.check(), await rules.renew([])], [[], []])
  assert.is(transactions.length, length, 'what is closed changes nothing more')
})

test('queries that a firewall would refuse are not intercepted, and each renewal reports it', async () => {
  const closed = { family: 'ip', table: 'filter', chain: 'INPUT', hook: 'input' } as const
  const guarded = [{ ...closed, owner: 'iptables', closed: 'Calico drops' } as const]
  const both = planFor({ addresses: ['169.254.20.10', 'fd00::10'], clusterIps: [] }, { guarded })
  const { rules, transactions } = backend()
  await rules.install(both)
  const troubles = await rules.renew(both.addresses)
  assert.equal(
    troubles.map(({ kind }) => kind),
    ['firewall_refuses'],
  )
  const filled = transactions
    .at(-1)
    ?.flatMap((change) => (change.kind === 'fillSet' ? change.addresses : []))
  assert.equal(filled, ['fd00::10'])
})

test.run()
