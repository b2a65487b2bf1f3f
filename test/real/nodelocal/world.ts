/**
 * What stands behind both programs: a CoreDNS with the cluster's zone, the outside and a company's zone, each a server block of its own,
 * and the questions about them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../fuzz/random.ts'
import type { TypeName } from '../../support/client/dns-message.ts'
import { Coredns } from '../../support/coredns.ts'
import { freePort } from '../../support/free-port.ts'

export interface Question {
  readonly name: string
  readonly type: TypeName
  readonly ednsBytes?: number
  readonly overTcp: boolean
}

const soa = (life: number) =>
  `@ ${life} IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 ${life}`

/** As the `kubernetes` plugin answers: a Service, a headless one of three pods, one for SRV, an ExternalName. */
const cluster = `$ORIGIN cluster.local.
${soa(5)}
web.default.svc 5 IN A 10.96.0.20
dual.default.svc 5 IN A 10.96.0.21
dual.default.svc 5 IN AAAA fd00:10:96::21
db.data.svc 5 IN A 10.244.1.2
db.data.svc 5 IN A 10.244.2.2
db.data.svc 5 IN A 10.244.3.2
_pg._tcp.db.data.svc 30 IN SRV 0 33 5432 db-0.db.data.svc
db-0.db.data.svc 30 IN A 10.244.1.2
inner.default.svc 5 IN CNAME web.default.svc
outer.default.svc 5 IN CNAME www.site.example.
`

const reverse = `$ORIGIN in-addr.arpa.
${soa(5)}
20.0.96.10 5 IN PTR web.default.svc.cluster.local.
`

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => `big 300 IN TXT "${`${i} `.padEnd(120, 'x')}"`).join('\n')
const addresses = Array.from({ length: 40 }, (_, i) => `many 300 IN A 203.0.113.${i + 1}`).join(
  '\n',
)

const site = `$ORIGIN site.example.
${soa(60)}
@ 300 IN MX 10 mail
mail 300 IN A 203.0.113.25
www 300 IN A 203.0.113.1
www 300 IN AAAA 2001:db8::1
a1 120 IN CNAME a2
a2 20 IN CNAME a3
a3 300 IN CNAME www
away 300 IN CNAME www.corp.example.
lost 300 IN CNAME nowhere
short 1 IN A 203.0.113.2
zero 0 IN A 203.0.113.3
long 86400 IN A 203.0.113.4
mixed 300 IN A 203.0.113.5
text 300 IN TXT "one" "two three"
_sip._udp 300 IN SRV 10 20 5060 www
enum 300 IN NAPTR 10 100 "u" "E2U+sip" "!^.*$!sip:x@site.example!" .
svc 300 IN HTTPS 1 . alpn=h2
*.wild 300 IN A 203.0.113.6
below.empty 300 IN A 203.0.113.7
${addresses}
${texts(12)}
`

const company = `$ORIGIN corp.example.
${soa(3600)}
www 300 IN A 198.51.100.1
wiki 300 IN CNAME www
`

const failing = `template ANY ANY fail.example {
  rcode SERVFAIL
}
template ANY ANY denied.example {
  rcode NXDOMAIN
}
template ANY ANY empty.example {
  rcode NOERROR
}`

const root = `template ANY ANY . {
  rcode NXDOMAIN
  authority ". 900 IN SOA a.root. nstld.root. 1 2 3 4 600"
}`

export class World {
  /** `host:port` by the words that stand for them in a form. */
  readonly places: Readonly<Record<string, string>>
  private readonly coredns: Coredns
  private readonly directory: string

  private constructor(coredns: Coredns, directory: string, places: Record<string, string>) {
    this.coredns = coredns
    this.directory = directory
    this.places = places
  }

  static async start(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'neardns-behind-'))
    const ports = [await freePort(), await freePort(), await freePort()]
    const files = { cluster, reverse, site, company }
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, `${name}.zone`), text)
    }
    // A server block for each zone: `template` comes before `file` in a block.
    const block = (zone: string, port: number | undefined, plugins: string) =>
      `${zone}:${port} {\nbind 127.0.0.1\nerrors\n${plugins}\n}\n`
    const zone = (port: number | undefined, name: string, origin: string) =>
      block(origin, port, `file ${directory}/${name}.zone`)
    const [inner, outer, own] = ports
    const corefile = [
      zone(inner, 'cluster', 'cluster.local'),
      zone(inner, 'reverse', 'in-addr.arpa'),
      zone(inner, 'site', 'site.example'),
      block('.', inner, root),
      zone(outer, 'site', 'site.example'),
      zone(outer, 'company', 'corp.example'),
      block('.', outer, `${failing}\n${root}`),
      zone(own, 'company', 'corp.example'),
      block('.', own, root),
    ].join('')
    const coredns = await Coredns.start({ corefile })
    const [CLUSTER, OUTSIDE, COMPANY] = ports.map((port) => `127.0.0.1:${port}`) as [
      string,
      string,
      string,
    ]
    return new World(coredns, directory, { CLUSTER, OUTSIDE, COMPANY })
  }

  async stop(): Promise<void> {
    await this.coredns.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}

const inCluster = ['web.default', 'dual.default', 'db.data', 'db-0.db.data', '_pg._tcp.db.data']
  .concat(
    'inner.default',
    'outer.default',
    'gone.default',
    'default',
    'web.default.svc.cluster.local.default',
  )
  .map((name) => `${name}.svc.cluster.local`)
const onSite = [
  'www',
  'a1',
  'a2',
  'away',
  'lost',
  'short',
  'zero',
  'long',
  'mixed',
  'text',
  '_sip._udp',
]
  .concat(
    'enum',
    'svc',
    'x.wild',
    'y.z.wild',
    'empty',
    'below.empty',
    'many',
    'big',
    'mail',
    'gone',
  )
  .map((name) => `${name}.site.example`)
const others = [
  'site.example',
  'corp.example',
  'www.corp.example',
  'wiki.corp.example',
  'no.corp.example',
]
  .concat('x.fail.example', 'x.denied.example', 'x.empty.example', 'gone.example', 'cluster.local')
  .concat(
    '20.0.96.10.in-addr.arpa',
    '9.0.96.10.in-addr.arpa',
    'web.default.svc.cluster.local.site.example',
  )

const types: readonly TypeName[] = [
  'A',
  'A',
  'A',
  'AAAA',
  'AAAA',
  'TXT',
  'SRV',
  'MX',
  'PTR',
  'HTTPS',
  'NAPTR',
  'CNAME',
]

/** @returns a question at random: half of them about names that were asked before, a few about names that nobody has */
export function drawQuestion(random: Random, more: readonly string[]): Question {
  const lists = [inCluster, onSite, onSite, others, ...(more.length > 0 ? [more] : [])]
  const drawn =
    random.below(12) === 0 ? `n${random.below(1e6)}.site.example` : random.pick(random.pick(lists))
  const name = random.below(6) === 0 ? mixedCase(random, drawn) : drawn
  const type = drawn.includes('arpa') && random.below(2) === 0 ? 'PTR' : random.pick(types)
  const ednsBytes = random.pick([undefined, undefined, 1232, 4096])
  const overTcp = random.below(8) === 0
  return { name, type, overTcp, ...(ednsBytes !== undefined && { ednsBytes }) }
}

function mixedCase(random: Random, name: string): string {
  return [...name].map((letter) => (random.below(2) === 0 ? letter.toUpperCase() : letter)).join('')
}
