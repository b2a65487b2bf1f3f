/**
 * Goal: started as node-cache, each series of a NodeLocal DNSCache's page is there with the very labels that CoreDNS gives it, and the names before
 * CoreDNS 1.7 when the environment asks for them. Method: a real CoreDNS and neardns with the same Corefile, the same questions, both pages.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { consumers } from '../../observe/families/consumers.ts'
import { builtProgram } from '../../support/built-program.ts'
import { lookup } from '../../support/client/dns-client.ts'
import { Coredns } from '../../support/coredns.ts'
import { freePort } from '../../support/free-port.ts'
import { needing } from '../../support/needs.ts'
import { Child } from '../../support/process.ts'
import { NodeCacheFolder } from '../../support/world/node-cache-start.ts'

const test = needing(suite('real/node-cache/metrics'), 'coredns')

/** Label names by family; buckets, sums and counts belong to their histogram. */
function labelsIn(page: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of page.split('\n')) {
    const [, name = '', inner = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? []
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const labels = [...inner.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
    found.set(name, labels.toSorted())
    found.set(family, labels.filter((label) => label !== 'le').toSorted())
  }
  return found
}

interface Ports {
  readonly dns: number
  readonly upstream: number
  readonly metrics: number
  readonly health: number
}

async function ports(upstream: number): Promise<Ports> {
  return { dns: await freePort(), upstream, metrics: await freePort(), health: await freePort() }
}

function corefile({ dns, upstream, metrics, health }: Ports): string {
  const rest = (more: string) =>
    `errors\n reload\n loop\n bind 127.0.0.1\n prometheus 127.0.0.1:${metrics}\n forward . 127.0.0.1:${upstream} {\n  ${more}\n }\n`
  return [
    `cluster.local:${dns} {\n cache {\n  success 9984 30\n  denial 9984 5\n }\n health 127.0.0.1:${health}\n ${rest('force_tcp')}}`,
    `.:${dns} {\n cache 30\n ${rest('prefer_udp')}}`,
    '',
  ].join('\n')
}

const answering = (port: number) => `cluster.local:${port} {
  bind 127.0.0.1
  template IN A none.cluster.local {
    rcode NXDOMAIN
    authority "cluster.local. 5 IN SOA ns.cluster.local. x.cluster.local. 1 1 1 1 5"
  }
  template IN A {
    answer "{{ .Name }} 30 IN A 10.1.2.3"
  }
}
`

async function pageAfterQuestions({ dns, metrics, health }: Ports): Promise<Map<string, string[]>> {
  const server = { host: '127.0.0.1', port: dns }
  for (const name of ['a', 'a', 'none', 'none']) await lookup(server, `${name}.cluster.local`, 'A')
  await lookup(server, 'a.cluster.local', 'A', { tcp: true })
  await fetch(`http://127.0.0.1:${health}/health`)
  const answer = await fetch(`http://127.0.0.1:${metrics}/metrics`)
  return labelsIn(await answer.text())
}

test('names and labels of CoreDNS, and those before 1.7 when the environment wants them', async () => {
  const folder = new NodeCacheFolder()
  const upstream = await freePort()
  const cluster = await Coredns.start({ corefile: answering(upstream) })
  const [theirs, ours] = [await ports(upstream), await ports(upstream)]
  const coredns = await Coredns.start({ corefile: corefile(theirs) })
  folder.put('Corefile', corefile(ours))
  const args = ['-localip', '127.0.0.1', '-conf', folder.conf, '-p', String(ours.dns)]
  const alone = ['-setupinterface=false', '-setupiptables=false', '-metrics-listen-address', '']
  const neardns = new Child(process.execPath, [builtProgram(), ...args, ...alone], {
    env: { NEARDNS_OLDER_METRIC_NAMES: 'true' },
  })
  try {
    await neardns.line((line) => line.includes('"msg":"ready"'), 30_000)
    const [real, page] = [await pageAfterQuestions(theirs), await pageAfterQuestions(ours)]
    for (const [name, labels] of real) {
      // node-cache has neither "local" nor hosts' time of reading on its dashboards.
      if (!name.startsWith('coredns_') || /_(hosts|local)_/.test(name)) continue
      assert.equal(page.get(name), labels, name)
    }
    for (const { series } of consumers) {
      for (const name of Object.keys(series)) {
        // Upstreams that never failed and pages without a sample have none in CoreDNS either.
        const isSilent = /_(do_requests|do_count|healthcheck_failures)/.test(name)
        assert.ok(isSilent || page.has(name), name)
      }
    }
  } finally {
    await neardns.stop('SIGTERM')
    for (const one of [coredns, cluster]) await one.stop()
    folder.remove()
  }
})

test.run()
