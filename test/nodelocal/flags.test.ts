// Goal: the argument lists of manifests in use mean what they mean to node-cache. Method: one list in the manner of each kind of manifest
// (addresses of our own), the defaults, and the refusals.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type NodeCacheFlags, readNodeCacheFlags } from '../../src/nodelocal/flags.ts'

const test = suite('nodelocal/flags')

function flags(text: string): NodeCacheFlags {
  const read = readNodeCacheFlags(text.split(' '))
  if (read.kind !== 'serve') throw new Error(JSON.stringify(read))
  return read.flags
}

function mistake(text: string): string {
  const read = readNodeCacheFlags(text.split(' '))
  return read.kind === 'mistake' ? read.why : read.kind
}

const addresses = ({ localIps }: NodeCacheFlags) => localIps.map(({ address }) => address).join(' ')

test('what is not given has the default of node-cache', () => {
  assert.equal(flags('-localip 169.254.7.7'), {
    localIps: [{ address: '169.254.7.7', family: 4 }],
    port: 53,
    setupInterface: true,
    setupIptables: true,
    skipTeardown: undefined,
    interfaceName: 'nodelocaldns',
    baseCorefile: '/etc/coredns/Corefile.base',
    corefile: '/etc/Corefile',
    kubeDnsDirectory: undefined,
    upstreamService: 'kube-dns',
    metricsListen: { address: '0.0.0.0', port: 9353, family: 4, all: false },
    prometheusListen: ':9253',
    healthPort: 8080,
    syncSeconds: 60,
    pidFile: undefined,
  })
})

test('the argument lists of manifests in use are read', () => {
  const upstream = flags(
    '-localip 169.254.7.7,10.112.0.10 -conf /etc/Corefile -upstreamsvc kube-dns-upstream -pidfile /run/x.pid',
  )
  assert.is(addresses(upstream), '169.254.7.7 10.112.0.10')
  assert.is(upstream.upstreamService, 'kube-dns-upstream')
  assert.is(upstream.pidFile, '/run/x.pid')

  const podNetwork = flags(
    '-localip 169.254.7.7 -conf /etc/Corefile -skipteardown=true -setupinterface=false -setupiptables=false',
  )
  assert.is(podNetwork.setupInterface, false)
  assert.is(podNetwork.setupIptables, false)
  assert.is(podNetwork.skipTeardown, true)

  const plainConf = flags(
    '-localip 169.254.8.8 -conf /etc/coredns/Corefile -upstreamsvc coredns -skipteardown',
  )
  assert.is(plainConf.corefile, '/etc/coredns/Corefile')
  assert.is(plainConf.skipTeardown, true)

  const withSigns = flags(
    '-localip=169.254.7.7 -conf=/etc/Corefile -upstreamsvc=up -setupiptables=false',
  )
  assert.equal([withSigns.setupInterface, withSigns.setupIptables], [true, false])

  const everything = flags(
    '-localip 169.254.7.8,172.30.0.10 -skipteardown -setupinterface=true -setupiptables=false -health-port 8081 -upstreamsvc up-stream -conf /etc/Corefile -syncinterval 1ns -interfacename nodedns -metrics-listen-address 127.0.0.1:9354',
  )
  assert.is(everything.skipTeardown, true)
  assert.is(everything.healthPort, 8081)
  assert.is(everything.syncSeconds, 1)
  assert.is(everything.interfaceName, 'nodedns')
  assert.is(everything.metricsListen?.port, 9354)

  const six = flags('-localip fd30:7::1,fd00:7::a -conf /etc/Corefile')
  assert.is(addresses(six), 'fd30:7::1 fd00:7::a')
  assert.is(flags('-localip 169.254.7.7 -kubednscm /etc/dns-cm').kubeDnsDirectory, '/etc/dns-cm')
})

test('both families at once are served, though node-cache takes one', () => {
  assert.is(addresses(flags('-localip 169.254.7.7,fd30:7::1,169.254.7.7')), '169.254.7.7 fd30:7::1')
})

test('a teardown that is asked for is told from the default', () => {
  assert.is(flags('-localip 169.254.7.7 -skipteardown=false').skipTeardown, false)
})

test('-p and -dns.port are one setting, and the last one counts', () => {
  assert.is(flags('-localip 169.254.7.7 -dns.port 1053 -p 2053').port, 2053)
  assert.is(flags('-localip 169.254.7.7 -p 2053 -dns.port=1053').port, 1053)
})

test('mistakes are named together, each with what would be right', () => {
  assert.is(
    mistake('-conf /etc/Corefile'),
    '-localip is missing; write the addresses to serve, as -localip 169.254.20.10,10.96.0.10',
  )
  assert.match(mistake('-localip 169.254.7.7,dns'), /-localip: .*"dns".*commas between/)
  assert.is(
    mistake('-localip 169.254.7.7 -health-port http -p 0'),
    '-p "0" is no port; expected 1 to 65535; -health-port "http" is no port; expected 1 to 65535'.replace(
      '-p',
      '-dns.port',
    ),
  )
  assert.match(
    mistake('-localip 169.254.7.7 -interfacename a-name-that-is-too-long'),
    /no link name/,
  )
  assert.match(mistake('-localip 169.254.7.7 -upstreamsvc kube_dns'), /no name of a Service/)
  assert.match(
    mistake('-localip 169.254.7.7 -metrics-listen-address 9353'),
    /-metrics-listen-address: /,
  )
  assert.match(mistake('-localip 169.254.7.7 -syncinterval 1x'), /60ns for 60 s/)
  assert.match(mistake('-localip 169.254.7.7 -conf stdin'), /path of a Corefile/)
})

test("a vendor's flag and a misspelt one are refused by name", () => {
  assert.match(
    mistake('-localip 169.254.7.7 -forwardonexit=false'),
    /"-forwardonexit"; a vendor's flag/,
  )
  assert.is(
    mistake('-localip 169.254.7.7 -setupeptables=false'),
    'unknown flag "-setupeptables"; did you mean -setupiptables?',
  )
  assert.match(mistake('-setupebtables'), /since 2021; leave it out/)
})

test('help, version and plugins need no other flag', () => {
  for (const kind of ['help', 'version', 'plugins']) assert.is(mistake(`-${kind}`), kind)
})

test.run()
