/*
 * Goal: rules between settings hold at their bounds, name the value that is wrong and those it rests on, and are silent about what is of the
 * wrong shape. Method: configurations that were parsed in parts. Their wording in files is tested in config/load.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Endpoint, parseEndpoint } from '../../src/config/address.ts'
import { crossChecks } from '../../src/config/cross-checks.ts'
import { pathText } from '../../src/config/problem.ts'

const test = suite('config/cross-checks')

function at(text: string): Endpoint {
  const parsed = parseEndpoint(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

function host(address: string) {
  return { address, family: address.includes(':') ? 6 : 4 }
}

/** `path < what it rests on` */
function broken(config: unknown, local: readonly string[] = []): string[] {
  return crossChecks(config, { localAddresses: local }).map(({ path, because }) =>
    [pathText(path), ...because.map(pathText)].join(' < '),
  )
}

test('bounds may be equal; the lower one is wrong when it is above', () => {
  const ttl = (min: number, max: number) => ({
    cluster: { ttl: { negativeMinSeconds: min, negativeMaxSeconds: max } },
  })
  assert.equal(broken(ttl(5, 5)), [])
  assert.equal(broken(ttl(6, 5)), [
    'cluster.ttl.negativeMinSeconds < cluster.ttl.negativeMaxSeconds',
  ])
  assert.equal(broken({ cache: { failureTtl: { minSeconds: 3, maxSeconds: 2 } } }), [
    'cache.failureTtl.minSeconds < cache.failureTtl.maxSeconds',
  ])
})

test('every group has its own bounds, zones too', () => {
  const exchange = { hedge: { minMs: 9, maxMs: 8 } }
  const config = { cluster: { exchange }, external: { exchange }, zones: [{}, { exchange }] }
  assert.equal(broken(config), [
    'cluster.exchange.hedge.minMs < cluster.exchange.hedge.maxMs',
    'external.exchange.hedge.minMs < external.exchange.hedge.maxMs',
    'zones[1].exchange.hedge.minMs < zones[1].exchange.hedge.maxMs',
  ])
})

test("the cluster's domain is not one of addresses, whose names have a setting of their own", () => {
  for (const domain of ['in-addr.arpa', '10.in-addr.arpa', 'ip6.arpa'])
    assert.equal(broken({ clusterDomain: domain }), ['clusterDomain < cluster.reverse'])
  for (const domain of ['cluster.local', 'not-in-addr.arpa', 'arpa.example'])
    assert.equal(broken({ clusterDomain: domain }), [])
})

test('a certificate and its key stand side by side', () => {
  const tls = (files: object) => broken({ external: { exchange: { stream: { tls: files } } } })
  const [certificate, key] = ['certificate', 'key'].map(
    (name) => `external.exchange.stream.tls.${name}`,
  )
  assert.equal(tls({ certificate: '/a', key: null }), [`${certificate} < ${key}`])
  assert.equal(tls({ key: '/a' }), [`${key} < ${certificate}`])
  assert.equal(tls({ certificate: '/a', key: '/b' }), [])
})

test('a zone has upstreams, or says what its names get', () => {
  const zone = (withoutUpstreams: string, upstreams: unknown[]) =>
    broken({ zones: [{ upstreams, withoutUpstreams }] })
  assert.equal(zone('mistake', []), ['zones[0].upstreams < zones[0].withoutUpstreams'])
  assert.equal(zone('refused', []), [])
  assert.equal(zone('mistake', [at('10.0.0.1:53')]), [])
})

test('two sockets clash on one port and family, where one covers the other', () => {
  const clash = (...listen: string[]) => broken({ listen: listen.map(at) })
  assert.equal(clash('10.0.0.1:53', '10.0.0.1:53'), ['listen[1] < listen[0]'])
  assert.equal(clash('10.0.0.1:53', '0.0.0.0:53'), ['listen[1] < listen[0]'])
  assert.equal(clash('[::]:53', '[fd00::1]:53'), ['listen[1] < listen[0]'])
  // IPv6 sockets are for IPv6 only; the kernel chooses a free port for 0.
  assert.equal(clash('0.0.0.0:53', '[::]:53'), [])
  assert.equal(clash('10.0.0.1:53', '10.0.0.1:54', '10.0.0.2:53'), [])
  assert.equal(clash('10.0.0.1:0', '10.0.0.1:0'), [])
})

test('an upstream at our own address is a loop; behind a wildcard every address of the host is ours', () => {
  const loop = (listen: string, upstream: string, local: readonly string[] = []) =>
    broken({ listen: [at(listen)], external: { upstreams: [at(upstream)] } }, local)
  const wrong = ['external.upstreams[0] < listen[0]']
  assert.equal(loop('10.0.0.1:53', '10.0.0.1:53'), wrong)
  assert.equal(loop('10.0.0.1:53', '10.0.0.1:5300'), [])
  assert.equal(loop('0.0.0.0:53', '127.0.0.9:53'), wrong)
  assert.equal(loop('0.0.0.0:53', '10.0.0.7:53'), [])
  assert.equal(loop('0.0.0.0:53', '10.0.0.7:53', ['10.0.0.7']), wrong)
  assert.equal(loop('0.0.0.0:53', '[::1]:53'), [])
})

test('one server over two transports is two upstreams', () => {
  const upstream = (transport: string) => ({ ...at('10.0.0.1:53'), transport })
  const upstreams = [upstream('udp'), upstream('tcp'), upstream('udp')]
  assert.equal(broken({ cluster: { upstreams } }), ['cluster.upstreams[2] < cluster.upstreams[0]'])
})

test('a zone is claimed once: by another zone, by the cluster domain, by the reverse zones of the cluster', () => {
  const zones = (...names: string[]) => names.map((name) => ({ name }))
  const config = { clusterDomain: 'cluster.local', cluster: { reverse: true } }
  assert.equal(broken({ ...config, zones: zones('a', 'b', 'a') }), [
    'zones[2].name < zones[0].name',
  ])
  assert.equal(broken({ ...config, zones: zones('cluster.local', 'x.cluster.local') }), [
    'zones[0].name < clusterDomain',
  ])
  assert.equal(broken({ ...config, zones: zones('ip6.arpa', '10.in-addr.arpa') }), [
    'zones[0].name < cluster.reverse',
  ])
  assert.equal(
    broken({ cluster: { reverse: false }, zones: zones('ip6.arpa', 'in-addr.arpa') }),
    [],
  )
})

interface Intercepted {
  readonly addresses?: readonly string[]
  readonly clusterIps?: readonly string[]
  readonly listen?: readonly string[]
  readonly mode?: string
  readonly port?: unknown
}

function interception(given: Intercepted): string[] {
  const {
    addresses = [],
    clusterIps = [],
    listen = ['169.254.20.10:53'],
    mode = 'auto',
    port = 53,
  } = given
  return broken({
    listen: listen.map(at),
    interception: { mode, port, addresses: addresses.map(host), clusterIps: clusterIps.map(host) },
  })
}

test('rules bring packets only to where somebody listens, on the port of the rules', () => {
  assert.equal(interception({ addresses: ['169.254.20.10'] }), [])
  assert.equal(interception({ addresses: ['169.254.20.10'], listen: ['0.0.0.0:53'] }), [])
  assert.equal(interception({ addresses: ['169.254.20.10'], port: 5300 }), [
    'interception.addresses[0] < listen[0]',
  ])
  assert.equal(interception({ clusterIps: ['10.96.0.10'] }), [
    'interception.clusterIps[0] < listen[0]',
  ])
  // Whether somebody listens cannot be told while the port itself is wrong.
  assert.equal(interception({ addresses: ['10.0.0.1'], port: 'x' }), [])
})

test('no two may claim an address, across both lists', () => {
  assert.equal(interception({ addresses: ['169.254.20.10'], clusterIps: ['169.254.20.10'] }), [
    'interception.clusterIps[0] < interception.addresses[0]',
  ])
})

test('an address that no pod can send to is refused', () => {
  for (const address of [
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    'ff02::1',
  ]) {
    const listen = [address.includes(':') ? `[${address}]:53` : `${address}:53`]
    assert.equal(
      interception({ addresses: [address], listen }),
      ['interception.addresses[0]'],
      address,
    )
  }
})

test('in mode none nothing of it matters', () => {
  assert.equal(interception({ addresses: ['127.0.0.1', '127.0.0.1'], mode: 'none' }), [])
})

test('one late renewal must not end the interception: the lifetime is twice the renewal at least', () => {
  const times = (renewMs: unknown, lifetimeMs: unknown) =>
    broken({ interception: { renewMs, lifetimeMs } })
  assert.equal(times(1000, 2000), [])
  assert.equal(times(1000, 1999), ['interception.lifetimeMs < interception.renewMs'])
  assert.equal(times('1s', 1999), [])
})

test('what is of the wrong shape is somebody else’s complaint, and stops no other rule', () => {
  const twice = [{ name: 'a' }, { name: 'a' }]
  for (const wrong of [null, 7, 'text', [], {}, [null], [[]]]) {
    const config = {
      listen: wrong,
      admin: wrong,
      cluster: wrong,
      external: { upstreams: wrong, ttl: wrong, exchange: wrong },
      cache: wrong,
      interception: wrong,
      searchPath: wrong,
      zones: twice,
    }
    assert.equal(broken(config), ['zones[1].name < zones[0].name'], JSON.stringify(wrong))
  }
  for (const value of [undefined, null, 7, 'text', []]) assert.equal(broken(value), [])
})

test('portable sockets serve addresses, not wildcards', () => {
  const portable = (io: string, ...listen: string[]) => broken({ io, listen: listen.map(at) })
  for (const wildcard of ['0.0.0.0:53', '[::]:53']) {
    assert.equal(portable('portable', '10.0.0.1:54', wildcard), ['listen[1] < io'])
    assert.equal(portable('auto', wildcard), [])
    assert.equal(portable('batched', wildcard), [])
  }
  assert.equal(portable('portable', '10.0.0.1:53', '[fd00::1]:53'), [])
})

test.run()
