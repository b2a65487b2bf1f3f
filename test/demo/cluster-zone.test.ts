// Goal: the CoreDNS stand-in makes the distinctions that the kubernetes plugin makes, also the odd ones.
// Method: one line for each shape of name, in the notation `TYPE name -> what`.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterAnswer } from '../../src/demo/cluster-zone.ts'
import { Rcode, RrType } from '../../src/wire/constants.ts'

const test = suite('demo/cluster-zone')

const types = {
  A: RrType.a,
  AAAA: RrType.aaaa,
  SRV: RrType.srv,
  TXT: RrType.txt,
  SOA: RrType.soa,
  PTR: RrType.ptr,
}

const table = `
  A    cluster.local                                    -> NODATA
  SOA  cluster.local                                    -> 1
  TXT  cluster.local                                    -> NXDOMAIN
  A    svc.cluster.local                                -> NODATA
  TXT  svc.cluster.local                                -> NXDOMAIN
  A    com.cluster.local                                -> NXDOMAIN
  SOA  nosuch.cluster.local                             -> NODATA
  A    dns.cluster.local                                -> NXDOMAIN
  A    ns.dns.cluster.local                             -> 1
  A    dns-version.cluster.local                        -> NXDOMAIN
  TXT  dns-version.cluster.local                        -> 1
  A    shop.svc.cluster.local                           -> NODATA
  A    com.svc.cluster.local                            -> NXDOMAIN
  A    payments.shop.svc.cluster.local                  -> 1
  AAAA payments.shop.svc.cluster.local                  -> 1
  AAAA orders.shop.svc.cluster.local                    -> NODATA
  A    constructor.shop.svc.cluster.local               -> NXDOMAIN
  A    db.shop.svc.cluster.local                        -> 2
  A    db-0.db.shop.svc.cluster.local                   -> 1
  A    db-7.db.shop.svc.cluster.local                   -> NXDOMAIN
  A    _tcp.payments.shop.svc.cluster.local             -> NXDOMAIN
  SRV  _http._tcp.payments.shop.svc.cluster.local       -> 1
  A    http.tcp.payments.shop.svc.cluster.local         -> 1
  SRV  _http._udp.payments.shop.svc.cluster.local       -> NXDOMAIN
  A    a.b.c.payments.shop.svc.cluster.local            -> NXDOMAIN
  A    api.example.com.shop.svc.cluster.local           -> NXDOMAIN
  A    10-1-2-3.shop.pod.cluster.local                  -> 1
  A    x.y.10-1-2-3.shop.pod.cluster.local              -> 1
  A    x.y.z.10-1-2-3.shop.pod.cluster.local            -> NXDOMAIN
  A    10-1-2-3.nosuch.pod.cluster.local                -> NXDOMAIN
  PTR  7.12.96.10.in-addr.arpa                          -> 1
  PTR  5.1.244.10.in-addr.arpa                          -> 1
  PTR  96.10.in-addr.arpa                               -> NXDOMAIN
`

test('every shape of name gets what the kubernetes plugin gives', () => {
  const lines = table.trim().split('\n')
  for (const line of lines) {
    const [, type = '', qname = '', expected = ''] =
      /^\s*(\S+)\s+(\S+)\s+-> (\S+)$/.exec(line) ?? []
    const qtype = types[type as keyof typeof types]
    const { rcode, answers } = clusterAnswer(qname, qtype, 30)
    const found =
      rcode === Rcode.nxdomain
        ? 'NXDOMAIN'
        : answers.length === 0
          ? 'NODATA'
          : String(answers.length)
    assert.is(found, expected, line)
  }
})

test('negative answers carry the SOA whose minimum is the TTL in force', () => {
  const { authority } = clusterAnswer('nosuch.cluster.local', RrType.a, 7)
  assert.is(authority.length, 1)
  assert.is(authority[0]?.type, RrType.soa)
  assert.is(authority[0]?.ttlSeconds, 7)
  assert.is(
    Buffer.from(authority[0]?.data ?? []).readUInt32BE((authority[0]?.data.length ?? 4) - 4),
    7,
  )
})

test.run()
