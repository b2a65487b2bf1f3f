// Goal: every mistake is reported, all at once, with its place and what would be right; what is right becomes a
// complete, frozen configuration. Method: whole file texts and flags against literal lines.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConfigSource, loadConfig, type Override } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import type { Config } from '../../src/config/schema.ts'

const test = suite('config/load')

function problems(text: string, source: Partial<ConfigSource> = {}): string[] {
  const result = loadConfig({ file: { name: 'n.yaml', text }, ...source })
  return result.ok ? [] : result.problems.map(formatProblem)
}

function config(text: string, source: Partial<ConfigSource> = {}): Config {
  const result = loadConfig({ file: { name: 'n.yaml', text }, ...source })
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.config
}

function listFlag(flag: string, path: Override['path'], value: string): Override {
  return { flag, path, value, isListItem: true }
}

const listenFlag = (value: string) => listFlag('--listen', ['listen'], value)
const upstreamFlag = (value: string) => listFlag('--upstream', ['external', 'upstreams'], value)

test('without file and flags every setting has its default', () => {
  const result = loadConfig({})
  assert.ok(result.ok)
  const { config: defaults } = result
  assert.equal(defaults.listen, [{ address: '127.0.0.1', port: 5353, family: 4 }])
  assert.is(defaults.clusterDomain, 'cluster.local')
  assert.is(defaults.cluster.ttl.negativeMaxSeconds, 5)
  assert.is(defaults.external.ttl.negativeMaxSeconds, 30)
  assert.is(defaults.external.resolvConf, '/etc/resolv.conf')
  assert.equal(defaults.admin.listen, [])
  assert.equal(defaults.zones, [])
  assert.equal(defaults.cluster.exchange, defaults.external.exchange)
})

test('a file that sets nothing is a mistake, because it may be one that has just been emptied', () => {
  const why = 'n.yaml:1:1: the file sets nothing; write {} if the defaults are meant'
  const texts = ['', '\n', '\ufeff', '# listen: [x]\n', 'null', '~', '---\n', '--- # a\n...\n']
  for (const text of [...texts, 'listen:', 'listen:\n# cut off\ncache:\n', 'zones: ~']) {
    assert.equal(problems(text), [why], JSON.stringify(text))
  }
})

test('a file that sets nothing is a mistake with flags as well: it may have set more than they do', () => {
  const overrides = [{ flag: '--io', path: ['io'], value: 'portable', isListItem: false }]
  const loaded = loadConfig({ file: { name: 'n.yaml', text: '' }, overrides })
  assert.is(loaded.ok, false)
  assert.is(loadConfig({ overrides }).ok, true, 'without a file')
})

test('{} and empty sections mean the defaults', () => {
  const defaults = config('{}')
  assert.equal(config('# nothing\n{}\n'), defaults)
  assert.equal(config('cache:\n  # entriesMax: 5\nadmin: { listen: null }\nzones:\n'), defaults)
})

test('the configuration is frozen to its leaves', () => {
  const { cache, listen } = config('cache: { entriesMax: 7 }')
  assert.throws(() => Object.assign(cache.serveStale, { enabled: false }), TypeError)
  assert.throws(() => Object.assign(listen, { 0: undefined }), TypeError)
  assert.is(cache.entriesMax, 7)
})

test('addresses, zones and shared sections arrive parsed', () => {
  const { zones, external } = config(`
external:
  upstreams: [1.1.1.1, "tls://9.9.9.9#dns.quad9.net"]
  exchange: &patient { attemptsMax: 2, hedge: { maxMs: 400 } }
zones:
  - name: Corp.Example.
    upstreams: [tcp://10.1.0.53]
    exchange: *patient
`)
  assert.equal(external.upstreams[1], {
    transport: 'tls',
    address: '9.9.9.9',
    port: 853,
    family: 4,
    tlsName: 'dns.quad9.net',
  })
  assert.is(zones[0]?.name, 'corp.example')
  assert.equal(zones[0]?.upstreams, [
    { transport: 'tcp', address: '10.1.0.53', port: 53, family: 4 },
  ])
  assert.is(zones[0]?.exchange.hedge.maxMs, 400)
  assert.is(zones[0]?.exchange.hedge.minMs, 50)
  assert.is(zones[0]?.ttl.positiveMaxSeconds, 30)
})

const mistakes: [string, string, string][] = [
  [
    'a mistyped setting',
    'listen: ["127.0.0.1:5353"]\nclusterDomian: x\n',
    'n.yaml:2:1: clusterDomian: unknown setting; did you mean clusterDomain?',
  ],
  [
    'a setting in the wrong section',
    'external:\n  serveStale: { enabled: false }\n',
    'n.yaml:2:3: external.serveStale: unknown setting here; did you mean cache.serveStale?',
  ],
  [
    'a setting that nothing resembles',
    'cache:\n  prefetch: { frobnicate: 1 }\n',
    'n.yaml:2:15: cache.prefetch.frobnicate: unknown setting; allowed here: hitsMin, remainingPercent',
  ],
  [
    'a host name to listen on',
    'listen:\n  - 127.0.0.1:5353\n  - localhost:53\n',
    'n.yaml:3:5: listen[1]: "localhost" is not an IP address; host names are not accepted, because we are the resolver',
  ],
  [
    'a number below its bounds',
    'cache: { entriesMax: -5 }',
    'n.yaml:1:22: cache.entriesMax: -5 is too small; allowed is a whole number from 1 to 10000000 (entries)',
  ],
  [
    'a number above its bounds',
    'udp:\n  replyBytesMax: 65535',
    'n.yaml:2:18: udp.replyBytesMax: 65535 is too large; allowed is a whole number from 512 to 4096 (bytes)',
  ],
  [
    'a fraction',
    'drain: { deadlineMs: 0.5 }',
    'n.yaml:1:22: drain.deadlineMs: expected a whole number from 0 to 600000 (ms), got 0.5',
  ],
  [
    'a time with its unit',
    'drain: { deadlineMs: 2.5s }',
    'n.yaml:1:22: drain.deadlineMs: expected a whole number from 0 to 600000 (ms), got the text "2.5s"; write 2500',
  ],
  [
    'a size with its unit',
    'cache: { bytesMax: 64MiB }',
    'n.yaml:1:20: cache.bytesMax: expected a whole number from 65536 to 17179869184 (bytes), got the text "64MiB"; write 67108864',
  ],
  [
    'a word for a switch',
    'cluster: { reverse: yes }',
    'n.yaml:1:21: cluster.reverse: expected true or false, got the text "yes"; write true',
  ],
  [
    'a level that does not exist',
    'log: { level: warning }',
    'n.yaml:1:15: log.level: expected one of fatal, error, warn, info, debug, trace, silent, got the text "warning"; did you mean warn?',
  ],
  [
    'a text where a list belongs',
    'cluster: { upstreams: 10.96.0.11 }',
    'n.yaml:1:23: cluster.upstreams: expected a list of upstream addresses such as 10.0.0.2:53, got the text "10.96.0.11"; write ["10.96.0.11"]',
  ],
  [
    'a list where a section belongs',
    'cache: [1]',
    'n.yaml:1:8: cache: expected a section with entriesMax, bytesMax, denialPercent, noSoaSeconds, rotate, prefetch, serveStale, failureTtl, got a list',
  ],
  [
    'a file that is a word',
    'hello',
    'n.yaml:1:1: expected a section with listen, clusterDomain, io, cluster, external, zones, interception, kernelHits, searchPath, dns64, rewrites, templates, hosts, whoami, specialUse, cache, inFlight, aliases, sharePorts, udp, tcp, admin, log, drain, ..., got the text "hello"',
  ],
  [
    'an empty list',
    'listen: []',
    'n.yaml:1:9: listen: the list is empty; expected at least 1 of: IP addresses with port',
  ],
  [
    'a number where an address belongs',
    'listen: [53]',
    'n.yaml:1:10: listen[0]: expected an IP address with port such as 127.0.0.1:5353, got 53',
  ],
  [
    'a zone without upstreams',
    'zones:\n  - name: corp.example\n',
    'n.yaml:2:5: zones[0].upstreams: missing; expected a list of upstream addresses such as 10.0.0.2:53',
  ],
  [
    'an unsupported upstream scheme',
    'external: { upstreams: ["https://1.1.1.1"] }',
    'n.yaml:1:25: external.upstreams[0]: "https://1.1.1.1": https:// is not supported; use udp://, tcp:// or tls://',
  ],
  [
    'bounds in the wrong order',
    'cluster:\n  ttl: { positiveMinSeconds: 60, positiveMaxSeconds: 20 }\n',
    'n.yaml:2:30: cluster.ttl.positiveMinSeconds: positiveMinSeconds (60) is above positiveMaxSeconds (20); lower the one or raise the other',
  ],
  [
    'an upper bound below the default of the lower one, at the line that is there',
    'external: { exchange: { hedge: { maxMs: 20 } } }',
    'n.yaml:1:41: external.exchange.hedge.minMs: minMs (50) is above maxMs (20); lower the one or raise the other',
  ],
  [
    'the same address twice',
    'listen: [10.0.0.1:53, "[::1]:53", 10.0.0.1:53]',
    'n.yaml:1:35: listen[2]: 10.0.0.1:53 is taken by listen[0] (10.0.0.1:53); every address may be listened on once',
  ],
  [
    'an address that a wildcard covers',
    'listen: ["0.0.0.0:53", 10.0.0.1:53]',
    'n.yaml:1:24: listen[1]: 10.0.0.1:53 is taken by listen[0] (0.0.0.0:53); every address may be listened on once',
  ],
  [
    'an admin server on the DNS port',
    'admin: { listen: 127.0.0.1:5353 }',
    'n.yaml:1:18: admin.listen[0]: 127.0.0.1:5353 is taken by listen[0] (127.0.0.1:5353); every address may be listened on once',
  ],
  [
    'a forwarding loop',
    'listen: [169.254.20.10:53]\nexternal:\n  upstreams: [169.254.20.10]\n',
    'n.yaml:3:15: external.upstreams[0]: 169.254.20.10:53 is our own listening address (169.254.20.10:53): a forwarding loop; name another resolver',
  ],
  [
    'a forwarding loop in a zone, over TCP, through a wildcard',
    'listen: ["0.0.0.0:53"]\nzones: [{ name: a, upstreams: ["tcp://127.0.0.53"] }]\n',
    'n.yaml:2:32: zones[0].upstreams[0]: 127.0.0.53:53 is our own listening address (0.0.0.0:53): a forwarding loop; name another resolver',
  ],
  [
    'an upstream that is listed twice',
    'cluster: { upstreams: [10.96.0.11, "tcp://10.96.0.11:53"] }',
    'n.yaml:1:36: cluster.upstreams[1]: tcp://10.96.0.11:53 is already listed at cluster.upstreams[0]; list every upstream once',
  ],
  [
    'a zone that is defined twice',
    'zones:\n- { name: a.example, upstreams: [10.0.0.1] }\n- { name: A.example., upstreams: [10.0.0.2] }\n',
    'n.yaml:3:11: zones[1].name: zone a.example is already defined at zones[0].name; join their upstreams in one',
  ],
  [
    'a zone that is the cluster domain',
    'zones: [{ name: cluster.local, upstreams: [10.0.0.1] }]',
    'n.yaml:1:17: zones[0].name: zone cluster.local is the clusterDomain; put its upstreams into cluster.upstreams',
  ],
  [
    'a zone that the cluster group has already',
    'zones: [{ name: in-addr.arpa, upstreams: [10.0.0.1] }]',
    'n.yaml:1:17: zones[0].name: zone in-addr.arpa already goes to the cluster group; set cluster.reverse to false to send it elsewhere',
  ],
  [
    'a key that appears twice',
    'io: auto\nio: portable\n',
    'n.yaml:2:1: this key appears twice in one section; remove one of them',
  ],
  [
    'a tab',
    'cache:\n\tentriesMax: 5\n',
    'n.yaml:2:1: a tab is used to indent; YAML takes spaces only',
  ],
  [
    'an IPv6 address without quotes',
    'listen:\n  - [::1]:53\n',
    'n.yaml:2:10: text after a list; put an address with [ ] in quotes',
  ],
  [
    'a second document',
    'io: auto\n---\nio: auto\n',
    'n.yaml:2:1: a second document begins here; the file must contain only one',
  ],
  [
    'an unknown tag',
    'io: !!js/function x\n',
    'n.yaml:1:5: a word that begins with ! is a tag, and this one does not fit here; remove it, or put the text in quotes',
  ],
  ['an alias without anchor', 'cache: *x\n', 'n.yaml:1:8: no anchor &x before this alias'],
  [
    'an alias inside its anchor',
    'cache: &a { prefetch: *a }\n',
    'n.yaml:1:23: the alias *a is inside its own anchor',
  ],
  [
    'a key that is a prototype',
    '__proto__: { io: batched }\n',
    'n.yaml:1:1: __proto__: unknown setting; allowed here: listen, clusterDomain, io, cluster, external, zones, interception, kernelHits, searchPath, dns64, rewrites, templates, hosts, whoami, specialUse, cache, inFlight, aliases, sharePorts, udp, tcp, admin, log, drain, ...',
  ],
  [
    'a constructor in a section',
    'admin: { constructor: { prototype: 1 } }\n',
    'n.yaml:1:10: admin.constructor: unknown setting; allowed here: listen, hostNames, whenTaken, socket, olderNames, slowMs, recordedMax, podNames, tokenFile',
  ],
]
for (const [what, text, line] of mistakes) {
  test(`${what} is reported`, () => {
    assert.equal(problems(text), [line])
  })
}

test('all mistakes of a file are reported at once, in the order of its lines', () => {
  const found = problems(`listen: [localhost:53]
cache:
  bytesMax: 32Mi
  entriesMax: 0
  size: 3
io: fast
external:
  upstreams: [127.0.0.1:99999]
  ttl: { negativeMinSeconds: 40 }
`)
  assert.equal(
    found.map((line) => line.split(': ').slice(0, 2)),
    [
      ['n.yaml:1:10', 'listen[0]'],
      ['n.yaml:3:13', 'cache.bytesMax'],
      ['n.yaml:4:15', 'cache.entriesMax'],
      ['n.yaml:5:3', 'cache.size'],
      ['n.yaml:6:5', 'io'],
      ['n.yaml:8:15', 'external.upstreams[0]'],
      ['n.yaml:9:30', 'external.ttl.negativeMinSeconds'],
    ],
  )
})

test('a rule between two values stays silent while one of them is wrong itself', () => {
  assert.equal(problems('cluster: { ttl: { positiveMaxSeconds: -1 } }').length, 1)
})

test('a flag wins over the file and replaces its list', () => {
  const { listen, external } = config(
    'listen: [127.0.0.1:1, 127.0.0.1:2]\nexternal: { upstreams: [10.0.0.1] }\n',
    {
      overrides: [listenFlag('127.0.0.1:3'), upstreamFlag('10.0.0.2'), upstreamFlag('10.0.0.3')],
    },
  )
  assert.equal(
    listen.map((one) => one.port),
    [3],
  )
  assert.equal(
    external.upstreams.map((one) => one.address),
    ['10.0.0.2', '10.0.0.3'],
  )
})

test('flags leave the other settings of their section as the file has them', () => {
  const { cluster } = config('cluster: { reverse: false }', {
    overrides: [listFlag('--cluster-upstream', ['cluster', 'upstreams'], '10.96.0.11')],
  })
  assert.is(cluster.reverse, false)
  assert.is(cluster.upstreams[0]?.transport, 'tcp')
})

test('mistakes in flags are reported as typed, beside those of the file', () => {
  const overrides = [
    listenFlag('127.0.0.1:5453'),
    listenFlag('localhost:53'),
    upstreamFlag('127.0.0.1:5453'),
    { flag: '--log-level', path: ['log', 'level'], value: 'loud', isListItem: false },
    { flag: '--admin', path: ['admin', 'listen'], value: '127.0.0.1', isListItem: true },
  ]
  assert.equal(problems('cache: { entriesMax: 0 }', { overrides }), [
    'n.yaml:1:22: cache.entriesMax: 0 is too small; allowed is a whole number from 1 to 10000000 (entries)',
    '--listen localhost:53: "localhost" is not an IP address; host names are not accepted, because we are the resolver',
    '--admin 127.0.0.1: "127.0.0.1" has no port; write 127.0.0.1:53',
    '--log-level loud: expected one of fatal, error, warn, info, debug, trace, silent, got the text "loud"',
    '--upstream 127.0.0.1:5453: 127.0.0.1:5453 is our own listening address (127.0.0.1:5453): a forwarding loop; name another resolver',
  ])
})

test('mistakes in flags are reported beside broken YAML', () => {
  assert.equal(problems('listen: [', { overrides: [upstreamFlag('x')] }), [
    'n.yaml:1:10: a closing ] is missing, or stands too far left',
    '--upstream x: "x" is not an IP address; host names are not accepted, because we are the resolver',
  ])
})

test('an upstream in the file that a flag makes a loop is reported at its line', () => {
  const found = problems('external:\n  upstreams: [10.0.0.1]\n', {
    overrides: [listenFlag('10.0.0.1:53')],
  })
  assert.equal(found, [
    'n.yaml:2:15: external.upstreams[0]: 10.0.0.1:53 is our own listening address (10.0.0.1:53): a forwarding loop; name another resolver',
  ])
})

test('the addresses of the host count where we listen on all of them', () => {
  const text = 'listen: ["0.0.0.0:53"]\nexternal: { upstreams: [10.1.2.3] }\n'
  assert.equal(problems(text), [])
  assert.is(problems(text, { localAddresses: ['10.1.2.3'] }).length, 1)
})

test('listening on port 0 twice is no clash', () => {
  assert.equal(problems('listen: [127.0.0.1:0, 127.0.0.1:0]'), [])
})

test('aliases that multiply are refused in no time', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i++) {
    lines.push(
      `a${i}: &a${i} [${Array<string>(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  }
  const begun = performance.now()
  assert.equal(problems(lines.join('\n')), [
    'n.yaml:1:1: too many aliases (*name) once they are expanded; at most 100',
  ])
  assert.ok(performance.now() - begun < 1000)
})

test('thousands of aliases are refused', () => {
  assert.equal(problems(`a: &a 1\nb: [${'*a, '.repeat(5000)}]`), [
    'n.yaml:2:405: more than 100 aliases (*name) in one file',
  ])
})

test('a file nested too deeply is refused', () => {
  const [first] = problems('['.repeat(100_000))
  assert.match(first ?? '', /^n\.yaml:1:\d+: sections or lists are nested too deeply$/)
})

test('a file above the size limit is refused unread', () => {
  assert.equal(problems(`#${'x'.repeat(300_000)}`), [
    'n.yaml:1:1: the file has 300001 characters; at most 262144',
  ])
})

test('no text makes it throw, and each refusal has a place', () => {
  const pieces = fc.constantFrom(
    ...[
      'listen',
      'cache',
      'zones',
      'name',
      'upstreams',
      ': ',
      ':\n  ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
    ],
    ...[
      '&a ',
      '*a',
      '!!x ',
      '"',
      "'",
      '|\n',
      '1',
      '-1',
      '1e9',
      'null',
      'true',
      '10.0.0.1',
      '__proto__',
      '? ',
      '#',
      '%',
      '\t',
    ],
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      for (const line of problems(parts.join(''))) assert.match(line, /^n\.yaml:\d+:\d+: ./)
    }),
    { numRuns: 1500 },
  )
})

test.run()
