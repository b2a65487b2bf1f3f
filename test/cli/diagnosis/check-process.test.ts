// Goal: rights, ports, upstreams and memory that are not there are found before the start. Method: a healthy node with one fault planted.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { processFindings } from '../../../src/cli/diagnosis/check-process.ts'
import { aNode, type PlantedNode } from './checked-node.ts'

const test = suite('cli/diagnosis/check-process')
const socket = { transport: 'udp', address: '0.0.0.0', port: 53, inode: '1' } as const

test('a node that will do gets ticks only', () => {
  assert.equal(
    processFindings(aNode({})).filter(({ state }) => state !== 'ok'),
    [],
  )
})

const planted: [what: string, node: PlantedNode, says: RegExp, next: RegExp][] = [
  [
    'no right to bind a low port',
    { capabilities: new Set(['NET_ADMIN', 'NET_RAW']) },
    /NET_BIND_SERVICE is missing, to listen on 169\.254\.20\.10:53/,
    /add: \[NET_BIND_SERVICE\]/,
  ],
  [
    'no right to change the node',
    { capabilities: new Set(['NET_BIND_SERVICE']) },
    /NET_ADMIN is missing/,
    /add: \[NET_ADMIN\]/,
  ],
  [
    'no right to read the rules of iptables-legacy',
    {
      capabilities: new Set(['NET_BIND_SERVICE', 'NET_ADMIN']),
      facts: { unreadable: ['iptables-legacy-save: not permitted'] },
    },
    /NET_RAW is missing/,
    /add: \[NET_RAW\]/,
  ],
  ['another user', { userId: 65532 }, /is user 65532/, /runAsUser: 0/],
  [
    'a resolver on all addresses',
    { sockets: [socket], holders: () => [{ pid: 7, name: 'dnsmasq' }] },
    /169\.254\.20\.10:53 \(listen\) is taken on all addresses \(0\.0\.0\.0\).*by dnsmasq \(process 7\)/,
    /bind it to its own address/,
  ],
  [
    'a port of the admin pages that is taken',
    { sockets: [{ ...socket, transport: 'tcp', address: '127.0.0.1', port: 9253 }] },
    /127\.0\.0\.1:9253 \(admin\.listen\) is taken.*may not see/,
    /change admin\.listen/,
  ],
  ['a resolv.conf without servers', { resolvers: [] }, /names no server/, /upstreams: \[ADDRESS\]/],
  [
    'a resolv.conf that names neardns',
    { resolvers: ['169.254.20.10'] },
    /names 169\.254\.20\.10, which is neardns itself/,
    /resolvConf/,
  ],
  [
    'a memory limit for a smaller program',
    { memoryLimitBytes: 31_457_280 },
    /30 MiB, too little/,
    /128Mi/,
  ],
]
for (const [what, node, says, next] of planted) {
  test(`${what} is found, with cause and cure`, () => {
    const faults = processFindings(aNode(node)).filter(({ state }) => state === 'fault')
    const [found] = faults.filter((one) => says.test(`${one.what}: ${one.cause}`))
    assert.ok(found, JSON.stringify(faults))
    assert.match(found.next ?? '', next)
  })
}

test('what is worth knowing is no fault', () => {
  const notes = processFindings(aNode({ receiveBytesMax: 212_992, settings: { cluster: {} } }))
    .filter(({ state }) => state === 'note')
    .map(({ what }) => what)
  assert.is(notes.length, 2)
  assert.match(notes[0] ?? '', 'names in cluster.local get NXDOMAIN')
  assert.match(notes[1] ?? '', 'net.core.rmem_max is 212992')
})

test.run()
