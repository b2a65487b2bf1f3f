// Goal: flags decide about addresses, rules and metrics as in node-cache. Method: the pairs of -setupinterface and -setupiptables over one
// set of translated settings, and the metrics addresses of manifests.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { type NodeCacheFlags, readNodeCacheFlags } from '../../src/nodelocal/flags.ts'
import {
  type NodeFacts,
  nodeCacheSettings,
  wildcardFor,
  wishesIn,
} from '../../src/nodelocal/settings.ts'

const test = suite('nodelocal/settings')

const facts: NodeFacts = { clusterIps: ['10.112.0.10'], hasIpv6: true }
const translated = {
  listen: ['169.254.7.7:53', '10.112.0.10:53'],
  admin: { listen: ['169.254.7.7:8080', '0.0.0.0:9253', '[::]:9253'] },
}

function flags(more: string): NodeCacheFlags {
  const argv = `-localip 169.254.7.7,10.112.0.10 ${more}`.trim().split(' ')
  const read = readNodeCacheFlags(argv)
  if (read.kind !== 'serve') throw new Error(JSON.stringify(read))
  return read.flags
}

/** The whole configuration, so that the schema has its say. */
function config(more = '', given = facts, settings: object = translated) {
  const value = nodeCacheSettings(flags(more), { ...settings }, given, wishesIn({}))
  const loaded = loadConfig({ settings: { name: 'Corefile', value } })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}

const at = (list: readonly { address: string }[]) => list.map(({ address }) => address)

test('with link and rules, Services are intercepted as such and the rest is ours', () => {
  const { interception } = config()
  assert.equal([interception.mode, interception.link.kind], ['auto', 'auto'])
  assert.equal(
    [at(interception.addresses), at(interception.clusterIps)],
    [['169.254.7.7'], ['10.112.0.10']],
  )
})

test('link without rules, rules without link, and neither', () => {
  assert.is(config('-setupiptables=false').interception.mode, 'link')
  const rules = config('-setupinterface=false -interfacename dns0').interception
  assert.equal([rules.mode, rules.link.kind, rules.link.name], ['auto', 'none', 'dns0'])
  const neither = config('-setupinterface=false -setupiptables=false').interception
  assert.equal([at(neither.addresses), at(neither.clusterIps)], [[], []])
})

test('an address without a server block is left out: nobody would answer there', () => {
  const { interception } = config('', facts, { ...translated, listen: ['169.254.7.7:53'] })
  assert.equal(at(interception.clusterIps), [])
})

test('a teardown is done where it is asked for, and else the standby stays', () => {
  assert.is(config().interception.onStop, 'keep')
  assert.is(config('-skipteardown').interception.onStop, 'keep')
  assert.is(config('-skipteardown=false').interception.onStop, 'remove')
})

test('metrics are added to the admin addresses, and what is taken is tried again', () => {
  const { admin } = config()
  assert.equal(
    admin.listen.map(({ address, port }) => `${address} ${port}`),
    ['169.254.7.7 8080', '0.0.0.0 9253', ':: 9253', '0.0.0.0 9353'],
  )
  assert.is(admin.whenTaken, 'retry')
})

test('an address that a wildcard covers, and IPv6 where there is none, are left out', () => {
  const covered = { ...translated, admin: { listen: ['127.0.0.1:9353', '[::]:9253'] } }
  const { admin } = config('', { ...facts, hasIpv6: false }, covered)
  assert.equal(
    admin.listen.map(({ address, port }) => `${address} ${port}`),
    ['0.0.0.0 9353'],
  )
  const both = config('-metrics-listen-address :9354', facts, { listen: translated.listen }).admin
  assert.is(both.listen.length, 2)
  const none = config('-metrics-listen-address=', facts, { listen: translated.listen }).admin
  assert.is(none.listen.length, 0)
})

test('a wildcard on the host network means the addresses of -localip alone', () => {
  assert.equal(wildcardFor(flags(''), facts), ['169.254.7.7', '10.112.0.10'])
  assert.equal(wildcardFor(flags('-setupinterface=false'), facts), ['169.254.7.7', '10.112.0.10'])
  const pod = flags('-setupinterface=false -setupiptables=false')
  assert.equal(wildcardFor(pod, facts), ['0.0.0.0', '::'])
  assert.equal(wildcardFor(pod, { ...facts, hasIpv6: false }), ['0.0.0.0'])
})

test('a variable that node-cache ignores asks for the older names of metrics', () => {
  const admin = (value?: string) => {
    const wishes = wishesIn({ NEARDNS_OLDER_METRIC_NAMES: value })
    return nodeCacheSettings(flags(''), translated, facts, wishes)['admin']
  }
  assert.is(Object.hasOwn(Object(admin()), 'olderNames'), false)
  assert.is(Object.hasOwn(Object(admin('0')), 'olderNames'), false)
  assert.is(Object(admin('true')).olderNames, true)
})

test.run()
