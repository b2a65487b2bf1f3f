/**
 * Goal: the kernel takes what we send, nft of any version reads it, and what is owned ends with its owner.
 * Method: a process of ours in a network namespace of its own, and the machine's nft beside it as the reader and as the
 * second opinion: the text that we show for a table is fed to it, and both tables must be listed alike.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { Child, mustRun, runToEnd, until } from '../../support/process.ts'
import { Netns } from '../../support/world/netns.ts'

const test = needing(suite('host/nft/nftables'), 'netns', 'nft')

/** Makes both tables of a plan with two addresses, says so, and waits. */
const program = `
import { openNftables } from '${import.meta.resolve('../../../src/host/nft/nftables.ts')}'
import { tableText } from '${import.meta.resolve('../../../src/host/nft/text.ts')}'
import { acceptRules, ownedTable, renewal, standbyTable } from '${import.meta.resolve('../../../src/host/backends/nft-rules.ts')}'
const own = (address, family, role) => ({ address, family, role, forHost: role === 'own' })
const plan = {
  port: 53, lifetimeMs: 60000,
  addresses: [own('169.254.20.10', 4, 'own'), own('fd00::10', 6, 'own'), own('10.96.0.10', 4, 'service')],
  standby: [
    { address: '10.244.0.2', port: 53, family: 4 }, { address: '10.244.0.3', port: 5353, family: 4 },
    { address: 'fd00:244::2', port: 53, family: 6 },
  ],
}
const opened = await openNftables()
if (!opened.ok) throw new Error(opened.why)
const { nftables } = opened
const table = ownedTable('neardns-0a0b0c0d', plan)
const done = await nftables.change([
  { kind: 'addTable', table },
  { kind: 'replaceTable', table: standbyTable(plan) },
  ...renewal(table.name, plan, plan.addresses),
])
const own4 = await nftables.elements({ family: 'inet', table: table.name, set: 'live4' })
console.log(JSON.stringify({
  done, own4: own4.length, changes: nftables.changes, generation: await nftables.generation(),
  tables: await nftables.tables(), chains: (await nftables.baseChains()).length,
  refused: await nftables.change([{ kind: 'deleteTable', family: 'inet', name: 'nobody' }]),
  texts: [tableText({ ...table, isOwned: false }), tableText(standbyTable(plan))],
}))
setInterval(() => {}, 1000)
`

async function inNetns(body: (netns: Netns) => Promise<void>): Promise<void> {
  const netns = await Netns.create('nft')
  try {
    await body(netns)
  } finally {
    await netns.remove()
  }
}

async function start(netns: Netns) {
  const child = new Child(process.execPath, ['--input-type=module', '-e', program], {
    netns: netns.name,
  })
  const line = await child.line((text) => text.startsWith('{'), 20_000)
  return { child, said: JSON.parse(line) }
}

/** A table as nft lists it, without its name, its owner and what changes by itself. */
function body(listed: string): string {
  return listed
    .split('\n')
    .slice(1)
    .filter((line) => !/flags owner|elements = |^\t*$/.test(line) && !line.includes('timeout 1m'))
    .join('\n')
}

test('the kernel takes both tables in one transaction, and they are what their texts say', () =>
  inNetns(async (netns) => {
    const { child, said } = await start(netns)
    assert.equal(said.done, { ok: true })
    assert.equal([said.own4, said.changes, said.chains], [2, 1, 5])
    assert.is(said.refused.code, 'ENOENT')
    const standby = said.tables.find(({ name }: { name: string }) => name.includes('standby'))
    const names = ['neardns-0a0b0c0d', standby.name]
    for (const [i, name] of names.entries()) {
      const ours = await netns.exec('nft', 'list', 'table', 'inet', name)
      const text: string = said.texts[i].replace(`table inet ${name}`, 'table inet theirs')
      await mustRun('nft', ['-f', '-'], { netns: netns.name, stdin: text })
      const theirs = await netns.exec('nft', 'list', 'table', 'inet', 'theirs')
      assert.is(body(ours), body(theirs), name)
      await netns.exec('nft', 'delete', 'table', 'inet', 'theirs')
    }
    await child.stop('SIGKILL')
  }))

test('an owned table goes with its process, the standby stays, and nobody else can take either from under it', () =>
  inNetns(async (netns) => {
    const { child } = await start(netns)
    const taken = await runToEnd('nft', ['delete', 'table', 'inet', 'neardns-0a0b0c0d'], {
      netns: netns.name,
    })
    assert.is.not(taken.code, 0, 'a table with an owner is not for others to delete')
    await netns.exec('nft', 'flush', 'ruleset')
    assert.match(await netns.exec('nft', 'list', 'tables'), 'neardns-0a0b0c0d')
    await child.stop('SIGKILL')
    const second = await start(netns)
    await second.child.stop('SIGKILL')
    await until('the kernel has removed it', async () => {
      const left = await netns.exec('nft', 'list', 'tables')
      return !left.includes('neardns-0a0b0c0d') && left.includes('neardns-standby-')
    })
  }))

test('without NET_ADMIN it is said that it is not permitted', () =>
  inNetns(async (netns) => {
    const drop = ['--bounding-set=-net_admin', '--inh-caps=-net_admin', '--']
    const args = [...drop, process.execPath, '--input-type=module', '-e', program]
    const { output } = await runToEnd('setpriv', args, { netns: netns.name })
    assert.match(output, 'nf_tables: operation not permitted')
  }))

test.run()
