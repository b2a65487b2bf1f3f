// Goal: a Corefile is trusted only when nothing in it can answer a name of the cluster domain but `kubernetes`, and
// each doubt names its line.
// Method: fixtures with their doubtful lines marked, tables for what a message says.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseCorefile } from '../../src/corefile/corefile.ts'
import type { CorefileFiles } from '../../src/corefile/files.ts'
import { type CorefileVerdict, judgeCorefile } from '../../src/corefile/trust.ts'
import { corefileFixtures } from './fixtures.ts'

const test = suite('corefile/trust')

for (const { name, text, marked } of corefileFixtures('trusted')) {
  test(`${name} is trusted`, () => {
    assert.equal(marked, [])
    const verdict = judge(text)
    assert.ok(verdict.trusted, JSON.stringify(verdict))
  })
}

for (const { name, text, marked } of [
  ...corefileFixtures('doubted'),
  ...corefileFixtures('retired'),
]) {
  test(`${name} is not trusted, for the lines that are marked`, () => {
    assert.ok(marked.length > 0)
    assert.equal(doubtedLines(judge(text)), marked)
  })
}

/** Each line of a trusted Corefile after which nothing is proven any more. */
const additions: [string, string][] = [
  ['a plugin nobody knows', 'records'],
  ['the cloud plugins', 'route53 example.org.:Z1'],
  ['a secondary, whose catalog may name any zone', 'secondary other.example'],
  ['auto, which takes zones from file names', 'auto other.example'],
  ['template for the root', 'template IN A .'],
  ['template for a zone above', 'template IN A local'],
  ['template for an escaped name', 'template IN A cluster\\.local'],
  ['template with a port behind its zone', 'template IN A cluster.local:53'],
  ['template with a scheme before its zone', 'template IN A dns://cluster.local'],
  ['a zone from the environment', 'template IN A {$ZONE}'],
  ['dnssec, which turns NXDOMAIN into NODATA', 'dnssec'],
  ['forward for the domain itself', 'forward Cluster.Local. 10.9.0.9'],
  ['forward from the environment', 'forward {$ZONE} 10.9.0.9'],
  ['rewrite of the domain', 'rewrite name a.cluster.local b.example'],
  ['rewrite of an rcode', 'rewrite rcode exact a.example NXDOMAIN NOERROR'],
  ['rewrite of a substring', 'rewrite name substring a.example b.example'],
  ['rewrite of a suffix within a label', 'rewrite name suffix r.local .example'],
  ['rewrite of a suffix below', 'rewrite name suffix .x.cluster.local .example'],
  ['rewrite of types', 'rewrite type AAAA A'],
  ['a second kubernetes', 'kubernetes cluster.local'],
]
for (const [what, line] of additions) {
  test(`${what} ends the trust`, () => {
    const { text, at } = withLine(line)
    assert.equal(doubtedLines(judge(text)), [at])
  })
}

const harmless: [string, string][] = [
  [
    'rewrite of a suffix that only looks like the domain',
    'rewrite name suffix xcluster.local .example',
  ],
  ['rewrite of another name, on and on', 'rewrite continue name exact a.example b.cluster.local'],
  ['template outside', 'template IN A notcluster.local other.example:53'],
  ['a network in CIDR notation', 'file /x 10.0.0.0/9'],
  ['dns64', 'dns64'],
  ['debug and trace', 'debug'],
]
for (const [what, line] of harmless) {
  test(`${what} is harmless`, () => {
    assert.ok(judge(withLine(line).text).trusted)
  })
}

test('what the trusted kubernetes does is told', () => {
  const facts = (name: string) => {
    const fixture = corefileFixtures('trusted').find((one) => one.name === `trusted/${name}`)
    return judge(fixture?.text ?? '')
  }
  assert.equal(facts('kubeadm-1.33'), {
    trusted: true,
    ttlSeconds: 30,
    multicluster: false,
    zonal: false,
    podsMode: 'insecure',
  })
  assert.equal(facts('multicluster-zonal'), {
    trusted: true,
    ttlSeconds: 12,
    multicluster: true,
    zonal: true,
    podsMode: 'disabled',
  })
  assert.equal(facts('gke-like'), {
    trusted: true,
    ttlSeconds: 5,
    multicluster: false,
    zonal: false,
    podsMode: 'verified',
  })
})

test('a ClusterSet beside the domain is not the domain', () => {
  const verdict = judge(
    'cluster.local clusterset.local {\nkubernetes cluster.local clusterset.local {\nmulticluster clusterset.local\n}\nreload\n}',
  )
  assert.is(verdict.trusted && verdict.multicluster, false)
})

const options: [string, string][] = [
  ['ttl', 'ttl 3601'],
  ['ttl', 'ttl {$TTL}'],
  ['pods', 'pods all'],
  ['unknown', 'resyncperiod 5m'],
  ['fallthrough', 'fallthrough'],
]
for (const [what, option] of options) {
  test(`kubernetes with "${option}" is not trusted (${what})`, () => {
    const verdict = judge(`. {\nkubernetes cluster.local {\n${option}\n}\nreload\n}`)
    assert.equal(doubtedLines(verdict), [3])
  })
}

test('the domain may be written with capitals and a trailing dot, on both sides', () => {
  const text = 'CLUSTER.local.:53 {\nkubernetes Cluster.Local\nreload\n}'
  assert.ok(judge(text, 'cluster.LOCAL.').trusted)
})

test('letters that fold to ASCII are no way around the domain', () => {
  // Go folds the Kelvin sign to k and the dotted capital I to i; JavaScript does the former only.
  for (const zone of ['\u212aids.example', 'k\u0130ds.example']) {
    const verdict = judge(
      `. {\nkubernetes kids.example\ntemplate IN A ${zone}\nreload\n}`,
      'kids.example',
    )
    assert.equal(doubtedLines(verdict), [3])
  }
})

test('a reason says what to do', () => {
  const { text } = withLine('template IN A')
  const verdict = judge(text)
  assert.is(
    verdict.trusted ? '' : verdict.reasons[0]?.message,
    '`template` may answer names of cluster.local; give it zones outside of it, move it to a server block of its own, or list the names it serves in searchPath.carveOuts',
  )
})

const k3s = corefileFixtures('doubted').find(({ name }) => name === 'doubted/k3s')?.text ?? ''
const aks = corefileFixtures('doubted').find(({ name }) => name === 'doubted/aks')?.text ?? ''
const nodeHosts = '10.0.0.4 node-a # the first\n10.0.0.5 node-b node-b.lan\n'

interface Files {
  /** Files of each pattern; a pattern that is missing cannot be read. */
  readonly imports?: Readonly<Record<string, readonly string[]>>
  readonly hosts?: string
}

function judgeWith(text: string, { imports = {}, hosts }: Files): CorefileVerdict {
  const files: CorefileFiles = {
    imported: (pattern) =>
      imports[pattern]?.map((content, n) => ({ path: `/x/${n}.part`, text: content })),
    text: (path) => (path === '/etc/coredns/NodeHosts' ? hosts : undefined),
  }
  const corefile = parseCorefile(text, files)
  if (!corefile.ok) throw new Error(JSON.stringify(corefile.problems))
  return judgeCorefile(corefile, 'cluster.local', files)
}

const k3sImports = { '/etc/coredns/custom/*.override': [], '/etc/coredns/custom/*.server': [] }

test('k3s is trusted when its hosts file names nothing of the domain and nobody has added files', () => {
  assert.ok(judgeWith(k3s, { imports: k3sImports, hosts: nodeHosts }).trusted)
})

test('AKS is trusted when nobody has added files, or only what is known to be harmless', () => {
  const imports = { 'custom/*.override': [], 'custom/*.server': [] }
  assert.ok(judgeWith(aks, { imports }).trusted)
  const server = 'corp.example:53 {\n  errors\n  forward . 10.1.0.53\n}\n'
  const added = { 'custom/*.override': ['log\n', 'bufsize 1232\n'], 'custom/*.server': [server] }
  assert.ok(judgeWith(aks, { imports: added }).trusted)
})

const parts: readonly [what: string, files: Files, reason: RegExp][] = [
  [
    'a node that has a name of the domain',
    { imports: k3sImports, hosts: `${nodeHosts}10.0.0.6 node-c.cluster.local\n` },
    /`hosts` answers `node-c\.cluster\.local`/,
  ],
  [
    'a hosts file that is not there',
    { imports: k3sImports },
    /`\/etc\/coredns\/NodeHosts`, which cannot be read/,
  ],
  [
    'a directory that is not there',
    { imports: { '/etc/coredns/custom/*.server': [] }, hosts: nodeHosts },
    /^`import \/etc\/coredns\/custom\/\*\.override` cannot be read from here/,
  ],
  [
    'a plugin for the domain in an imported file',
    {
      imports: { ...k3sImports, '/etc/coredns/custom/*.override': ['log\ntemplate IN A .\n'] },
      hosts: nodeHosts,
    },
    /`template` may answer names of cluster\.local/,
  ],
  [
    'a server block for a part of the domain in an imported file',
    {
      imports: {
        ...k3sImports,
        '/etc/coredns/custom/*.server': ['x.cluster.local {\n  forward . 10.1.0.53\n}\n'],
      },
      hosts: nodeHosts,
    },
    /the server block for "x\.cluster\.local" answers names below/,
  ],
]
for (const [what, files, reason] of parts) {
  test(`k3s: ${what} ends the trust`, () => {
    const verdict = judgeWith(k3s, files)
    assert.is(verdict.trusted, false)
    const reasons = verdict.trusted ? [] : verdict.reasons
    assert.is(reasons.length, 1, JSON.stringify(reasons))
    assert.match(reasons[0]?.message ?? '', reason)
  })
}

test('a reason in an imported file names the file and its line there', () => {
  const imports = { ...k3sImports, '/etc/coredns/custom/*.override': ['log\ntemplate IN A .\n'] }
  const verdict = judgeWith(k3s, { imports, hosts: nodeHosts })
  const [reason] = verdict.trusted ? [] : verdict.reasons
  assert.equal([reason?.file, reason?.line], ['/x/0.part', 2])
})

test('reasons are bounded', () => {
  const verdict = judge(`. {\nkubernetes cluster.local\n${'template IN A\n'.repeat(500)}}`)
  assert.is(verdict.trusted ? 0 : verdict.reasons.length, 50)
})

function judge(text: string, domain = 'cluster.local'): CorefileVerdict {
  const corefile = parseCorefile(text)
  if (!corefile.ok) throw new Error(JSON.stringify(corefile.problems))
  return judgeCorefile(corefile, domain)
}

/** Each line once. */
function doubtedLines(verdict: CorefileVerdict): number[] {
  return verdict.trusted ? [] : [...new Set(verdict.reasons.map(({ line }) => line))]
}

/** A Corefile that is trusted without `line`. */
function withLine(line: string): { text: string; at: number } {
  const text = `. {\nkubernetes cluster.local {\nttl 30\n}\nreload\n${line}\nforward . 10.9.0.2\n}\n`
  return { text, at: 6 }
}

test.run()
