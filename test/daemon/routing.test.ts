/*
 * Goal: every configured zone goes to its own upstreams, everything else outside, and no query to ourselves. Method: checked
 * configurations in, groups and zones out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Endpoint, Upstream } from '../../src/config/address.ts'
import { knownServers, planRouting, warnOfLoops } from '../../src/daemon/routing.ts'
import { configOf, KeptLog } from './support.ts'

const test = suite('daemon/routing')

const own: Endpoint = { address: '169.254.20.10', port: 53, family: 4 }

function upstream(address: string, port = 53): Upstream {
  return { address, port, family: address.includes(':') ? 6 : 4, transport: 'udp' }
}

interface Node {
  readonly resolvers?: readonly Upstream[]
  readonly own?: readonly Endpoint[]
  readonly local?: readonly string[]
}

function plan(settings: object, node: Node = {}) {
  return planRouting(
    configOf(settings),
    node.resolvers ?? [],
    node.own ?? [own],
    node.local ?? ['10.0.0.7'],
  )
}

/** `zone > group`, in the configured order. */
function zonesOf(settings: object): string[] {
  return plan(settings).zones.map(({ zone, group }) => `${zone} > ${group}`)
}

const cluster = { upstreams: ['10.96.0.10'] }

test('without cluster upstreams nothing but the root is routed: CoreDNS of another cluster must not be guessed', () => {
  const { groups, zones } = plan({})
  assert.equal(
    groups.map(({ name }) => name),
    ['external'],
  )
  assert.equal(
    zones.map(({ zone, group }) => [zone, group]),
    [['.', 'external']],
  )
})

test('the name servers of resolv.conf are asked over TCP, or not at all, where the settings say so', () => {
  const external = (settings: object) =>
    plan({ external: settings }, { resolvers: [upstream('192.0.2.1')] }).groups[0]?.upstreams.map(
      ({ transport, address }) => `${transport}://${address}`,
    )
  assert.equal(external({}), ['udp://192.0.2.1'])
  assert.equal(external({ resolvConfTransport: 'tcp' }), ['tcp://192.0.2.1'])
  assert.equal(external({ withoutUpstreams: 'servfail' }), [])
})

test('a group without upstreams is refused only where the settings say so', () => {
  const refused = (settings: object) =>
    plan(settings).zones.map(({ zone, isRefused }) => `${zone} ${isRefused}`)
  const zones = [{ name: 'corp.example', upstreams: [], withoutUpstreams: 'refused' }]
  assert.equal(refused({ zones }), ['corp.example. true', '. false'])
  assert.equal(refused({ external: { withoutUpstreams: 'refused' } }), ['. true'])
  const asked = { upstreams: ['192.0.2.1'], withoutUpstreams: 'refused' }
  assert.equal(refused({ external: asked }), ['. false'])
})

test('a group without upstreams has no names of its own, unless a file names its servers', () => {
  const unserved = (withoutUpstreams: string) =>
    plan({ external: { withoutUpstreams } }).zones.map(({ isUnserved }) => isUnserved)
  assert.equal(['refused', 'servfail', 'resolvConf'].map(unserved), [[true], [true], [false]])
})

test('the cluster group has the cluster domain and, by default, the reverse zones', () => {
  assert.equal(zonesOf({ cluster }), [
    'cluster.local. > cluster',
    'in-addr.arpa. > cluster',
    'ip6.arpa. > cluster',
    '. > external',
  ])
})

test('reverse zones go outside when cluster.reverse is off', () => {
  assert.equal(zonesOf({ cluster: { ...cluster, reverse: false } }), [
    'cluster.local. > cluster',
    '. > external',
  ])
})

test('the ranges of pods and Services go to the cluster without its other reverse names, but for zones of their own', () => {
  const ranged = { ...cluster, reverse: false, ranges: ['10.96.0.0/15', 'fd00::/16'] }
  const zones = [{ name: '97.10.in-addr.arpa', upstreams: ['10.1.1.1'] }]
  assert.equal(zonesOf({ cluster: ranged, zones }), [
    'cluster.local. > cluster',
    '96.10.in-addr.arpa. > cluster',
    '0.0.d.f.ip6.arpa. > cluster',
    '97.10.in-addr.arpa. > zone 97.10.in-addr.arpa.',
    '. > external',
  ])
  assert.equal(zonesOf({ cluster: { ...ranged, reverse: true } }).slice(1, 3), [
    'in-addr.arpa. > cluster',
    'ip6.arpa. > cluster',
  ])
})

test('only the cluster domain is known never to recurse: CoreDNS forwards reverse names of outside addresses', () => {
  const { zones } = plan({ cluster, zones: [{ name: 'corp.example', upstreams: ['10.1.1.1'] }] })
  assert.equal(
    zones.filter(({ mayRecurse }) => !mayRecurse).map(({ zone }) => zone),
    ['cluster.local.'],
  )
  assert.equal(
    zones.filter(({ isCluster }) => isCluster).map(({ zone }) => zone),
    ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'],
  )
})

test('a stub zone has a group of its own, below the cluster domain too', () => {
  const settings = {
    cluster,
    zones: [
      { name: 'corp.example', upstreams: ['10.1.1.1'] },
      { name: 'db.cluster.local', upstreams: ['tls://10.2.2.2#dns.example'] },
    ],
  }
  assert.equal(zonesOf(settings).slice(3), [
    'corp.example. > zone corp.example.',
    'db.cluster.local. > zone db.cluster.local.',
    '. > external',
  ])
  const stub = plan(settings).zones.find(({ zone }) => zone === 'db.cluster.local.')
  assert.is(stub?.isCluster, false)
})

test('a zone with capitals is one with small letters, in its key, its group and its label', () => {
  const { groups, zones } = plan({ zones: [{ name: 'Corp.EXAMPLE.', upstreams: ['10.1.1.1'] }] })
  const [zone] = zones
  assert.is(Buffer.from(zone?.name ?? []).toString('latin1'), '\x04corp\x07example\0')
  assert.equal([zone?.zone, zone?.group], ['corp.example.', 'zone corp.example.'])
  assert.is(groups[1]?.name, zone?.group)
})

test('every zone leads to a group that exists', () => {
  const { groups, zones } = plan({
    cluster,
    zones: [{ name: 'corp.example', upstreams: ['10.1.1.1'] }],
  })
  const names = groups.map(({ name }) => name)
  assert.equal(
    zones.filter(({ group }) => !names.includes(group)),
    [],
  )
  assert.is(new Set(names).size, names.length)
})

test('limits of TTL, EDNS size and AD come from the group of the zone; AD of the cluster is never passed on', () => {
  const { zones } = plan({
    cluster: { ...cluster, ttl: { positiveMaxSeconds: 7 } },
    external: {
      upstreams: ['9.9.9.9'],
      trustAd: true,
      exchange: { udp: { payloadBytes: 1400 }, ednsOptions: ['65518=abcd'] },
    },
    zones: [{ name: 'corp.example', upstreams: ['10.1.1.1'], ttl: { positiveMaxSeconds: 11 } }],
  })
  const of = (zone: string) => zones.find((one) => one.zone === zone)
  assert.equal(
    ['cluster.local.', 'corp.example.', '.'].map((zone) => of(zone)?.ttl.positiveMaxSeconds),
    [7, 11, 30],
  )
  assert.equal(
    ['cluster.local.', 'corp.example.', '.'].map((zone) => of(zone)?.payloadBytes),
    [1232, 1232, 1400],
  )
  assert.equal(
    ['cluster.local.', 'corp.example.', '.'].map((zone) => of(zone)?.ednsOptions?.length),
    [undefined, undefined, 6],
  )
  assert.equal(
    ['cluster.local.', 'corp.example.', '.'].map((zone) => of(zone)?.trustAd),
    [false, false, true],
  )
})

function externalOf(settings: object, node: Node) {
  const routing = plan(settings, node)
  return {
    asked: routing.groups
      .find(({ name }) => name === 'external')
      ?.upstreams.map(({ address }) => address),
    looping: routing.looping.map(({ address }) => address),
  }
}

test('resolvers of resolv.conf are used only where no external upstreams are configured', () => {
  const node = { resolvers: [upstream('10.0.0.2')] }
  assert.equal(externalOf({}, node), { asked: ['10.0.0.2'], looping: [] })
  assert.equal(externalOf({ external: { upstreams: ['9.9.9.9'] } }, node), {
    asked: ['9.9.9.9'],
    looping: [],
  })
})

test('a resolver that is ourselves is left out, the others stay: the node may name us in its resolv.conf', () => {
  const node = { resolvers: [upstream('169.254.20.10'), upstream('10.0.0.2')] }
  assert.equal(externalOf({}, node), { asked: ['10.0.0.2'], looping: ['169.254.20.10'] })
})

test('the same address on another port is somebody else', () => {
  const node = { resolvers: [upstream('169.254.20.10', 5353)] }
  assert.equal(externalOf({}, node), { asked: ['169.254.20.10'], looping: [] })
})

test('where we listen on a wildcard address, every address of the node is ourselves, of that family', () => {
  const node = {
    resolvers: ['10.0.0.7', '127.0.0.53', '10.0.0.2', 'fd00::7'].map((one) => upstream(one)),
    own: [{ address: '0.0.0.0', port: 53, family: 4 } as const],
    local: ['10.0.0.7', 'fd00::7'],
  }
  assert.equal(externalOf({}, node), {
    asked: ['10.0.0.2', 'fd00::7'],
    looping: ['10.0.0.7', '127.0.0.53'],
  })
})

test('when all resolvers are ourselves the external group stays, without upstreams', () => {
  const routing = plan({}, { resolvers: [upstream('169.254.20.10')] })
  assert.equal(routing.groups.find(({ name }) => name === 'external')?.upstreams, [])
  assert.is(routing.zones.at(-1)?.group, 'external')
})

test('whoever stands on the other side of our sockets is known: own addresses and the upstreams of all groups', () => {
  const routing = plan(
    {
      cluster,
      external: { upstreams: ['9.9.9.9'] },
      zones: [{ name: 'corp.example', upstreams: ['10.1.1.1:5300'] }],
    },
    { resolvers: [upstream('10.0.0.2')] },
  )
  assert.equal(
    knownServers(routing, [own]).map(({ address, port }) => `${address}:${port}`),
    ['169.254.20.10:53', '10.96.0.10:53', '9.9.9.9:53', '10.1.1.1:5300'],
  )
})

test('a client at the address of a looping resolver is no upstream', () => {
  const routing = plan({}, { resolvers: [upstream('169.254.20.10')] })
  assert.equal(knownServers(routing, []), [])
})

test('each upstream that was left out gets its warning, and nothing is said when none was', () => {
  const log = new KeptLog()
  warnOfLoops(plan({}, { resolvers: [upstream('10.0.0.2')] }), log)
  assert.equal(log.lines, [])
  const both = [upstream('169.254.20.10'), upstream('127.0.0.1')]
  const alsoLocal = { resolvers: both, own: [own, { ...own, address: '127.0.0.1' }] }
  warnOfLoops(plan({}, alsoLocal), log)
  assert.equal(
    log.lines.map(({ level, fields }) => [level, fields['upstream']]),
    [
      ['warn', '169.254.20.10:53'],
      ['warn', '127.0.0.1:53'],
    ],
  )
})

test('a list is an order but in the cluster, whatever the transport; a policy that is set holds', () => {
  const policiesOf = (settings: object) =>
    plan(settings).groups.map(({ name, settings: { policy } }) => `${name} ${policy}`)
  for (const scheme of ['udp', 'tcp', 'tls']) {
    const upstreams = [`${scheme}://10.0.0.1`, `${scheme}://10.0.0.2`]
    const settings = {
      cluster: { upstreams },
      external: { upstreams },
      zones: [{ name: 'corp.example', upstreams }],
    }
    assert.equal(policiesOf(settings), [
      'cluster spread',
      'external sequential',
      'zone corp.example. sequential',
    ])
  }
  const exchange = { policy: 'random' }
  assert.equal(policiesOf({ cluster: { ...cluster, exchange }, external: { exchange } }), [
    'cluster random',
    'external random',
  ])
})

test.run()
