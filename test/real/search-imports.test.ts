/**
 * Goal: a Corefile with imports and a hosts file, as k3s and AKS have it, is trusted when these prove it, and what they add
 * later is seen no later than five seconds after CoreDNS has it. Method: a real CoreDNS and a daemon that read the same files,
 * which change while every name is asked of both.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookup, type Server } from '../support/client/dns-client.ts'
import { Cluster, type CorefileParts, SearchDaemon } from '../support/lab/search-rig.ts'
import { needing } from '../support/needs.ts'
import { until } from '../support/process.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/search-imports'), 'coredns')

/** A denial of ours may be this old (docs/search-path.md). */
const lawMs = 5000

/** k3s's, with its paths below a directory of ours; `reload` as often as CoreDNS allows. */
function k3s({ port, base, apiUrl, directory }: CorefileParts): string {
  mkdirSync(join(directory, 'custom'))
  writeFileSync(join(directory, 'NodeHosts'), '10.0.0.4 node-a\n')
  return `.:${port} {
${base.replace('reload', 'reload 2s 1s')}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    endpoint ${apiUrl}
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }
  hosts ${directory}/NodeHosts {
    ttl 60
    reload 1s
    fallthrough
  }
  cache 30
  loadbalance
  import ${directory}/custom/*.override
}
import ${directory}/custom/*.server
`
}

let cluster: Cluster
let daemon: SearchDaemon
let directory: string

test.before(async () => {
  cluster = await Cluster.start({ world: makeKubeWorld(3), corefile: k3s })
  directory = dirname(cluster.corefile)
  daemon = await SearchDaemon.start(cluster.direct, { trust: 'auto', corefile: cluster.corefile })
})

test.after(async () => {
  await daemon?.stop()
  await cluster?.stop()
})

async function addressOf(server: Server, name: string): Promise<string> {
  const { rcode, answers } = await lookup(server, name, 'A')
  return answers.at(-1)?.data ?? `rcode ${rcode}`
}

/** In one step: no reader must see half of a file. */
function put(file: string, text: string): void {
  writeFileSync(join(directory, `${file}.new`), text)
  renameSync(join(directory, `${file}.new`), join(directory, file))
}

test('k3s’s Corefile is verified, and denies by structure what CoreDNS denies', async () => {
  assert.is(await daemon.level(), 'verified')
  for (let n = 0; n < 20; n++) {
    assert.is(await addressOf(daemon.proxy, `www-${n}.outside.cluster.local`), 'rcode 3')
  }
  assert.ok((await daemon.synthesised()) > 0)
  assert.is(await daemon.mismatches(), 0)
})

const changes: readonly [what: string, file: string, text: string, name: string][] = [
  [
    'a name that the hosts file adds',
    'NodeHosts',
    '10.0.0.4 node-a\n10.0.0.77 www.added-a.cluster.local\n',
    'www.added-a.cluster.local',
  ],
  [
    'a name that an imported plugin adds',
    'custom/more.override',
    'template IN A cluster.local {\n  match "^www\\.added-b\\.cluster\\.local\\.$"\n  answer "{{ .Name }} 5 IN A 10.0.0.77"\n  fallthrough\n}\n',
    'www.added-b.cluster.local',
  ],
]
for (const [what, file, text, name] of changes) {
  test(`${what} is answered no later than five seconds after CoreDNS answers it`, async () => {
    assert.is(await daemon.level(), 'verified')
    assert.is(await addressOf(daemon.proxy, name), 'rcode 3')
    put(file, text)
    const known = async () => (await addressOf(cluster.direct, name)) === '10.0.0.77'
    await until('CoreDNS knows the name', known, { timeoutMs: 20_000, everyMs: 50 })
    const seen = async () => (await addressOf(daemon.proxy, name)) === '10.0.0.77'
    await until('neardns knows the name', seen, { timeoutMs: lawMs, everyMs: 50 })
    assert.is(await daemon.level(), 'cautious')
    await restart(file)
  })
}

/** Back to the files of the start, with a daemon that has seen nothing else: trust that comes back takes minutes. */
async function restart(file: string): Promise<void> {
  if (file === 'NodeHosts') put(file, '10.0.0.4 node-a\n')
  else rmSync(join(directory, file))
  await daemon.stop()
  daemon = await SearchDaemon.start(cluster.direct, { trust: 'auto', corefile: cluster.corefile })
}

test.run()
