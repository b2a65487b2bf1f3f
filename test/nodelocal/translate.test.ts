/*
 * Goal: a Corefile of NodeLocal DNSCache becomes the settings that serve the same, or is refused with a place and a way out. Method: small
 * texts and their settings, which the configuration's own checks then accept.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TranslateContext, translate } from '../../src/nodelocal/translate.ts'
import { upstreamCorefile } from './corefiles.ts'

const test = suite('nodelocal/translate')

function settingsOf(text: string, context: Partial<TranslateContext> = {}) {
  const { settings, problems } = translate(text, { file: 'Corefile', ...context })
  assert.equal(problems, [])
  assert.ok(settings)
  return settings
}

function problemsOf(text: string, context: Partial<TranslateContext> = {}): string[] {
  const { settings, problems } = translate(text, { file: 'Corefile', ...context })
  assert.is(settings, undefined)
  return problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
}

const kept = {
  positiveMinSeconds: 5,
  positiveMaxSeconds: 30,
  negativeMinSeconds: 5,
  negativeMaxSeconds: 30,
}

const notKept = { keep: false, positiveMaxSeconds: 86_400, negativeMaxSeconds: 86_400 }

test('dnstap is `log.dnstap`, one for all blocks', () => {
  const block = (zone: string, lines: string) => `${zone}:53 {\n${lines}\nforward . 192.0.2.1\n}\n`
  const tapped = (lines: string) => settingsOf(block('.', lines))['log']
  assert.equal(tapped('dnstap unix:///run/tap.sock full'), { dnstap: { socket: '/run/tap.sock' } })
  assert.equal(tapped('dnstap tcp://192.0.2.5:6000 {\nidentity n\nversion v\n}'), {
    dnstap: { socket: 'tcp://192.0.2.5:6000', messages: false, identity: 'n', version: 'v' },
  })
  const both = block('a.example', 'dnstap a.sock') + block('.', 'dnstap a.sock full')
  assert.match(problemsOf(both)[0] ?? '', /^Corefile:6:1: .*another one/)
  const one = translate(block('a.example', 'dnstap a.sock') + block('.', 'cache'), { file: 'C' })
  assert.match(one.notes[0]?.message ?? '', /queries of all blocks/)
})

test('a zone that stands twice is one, whatever its letters', () => {
  const problems = problemsOf('EXAMPLE.org example.ORG {\nforward . 192.0.2.1\n}')
  assert.equal(problems, [
    'Corefile:1:13: cannot serve dns://example.org.:53: this block does already',
  ])
})

test("upstream's own Corefile", () => {
  assert.equal(settingsOf(upstreamCorefile), {
    listen: ['169.254.20.10:53', '10.96.0.10:53'],
    clusterDomain: 'cluster.local',
    cluster: {
      upstreams: ['tcp://10.96.0.11:53'],
      ttl: { ...kept, negativeMaxSeconds: 5 },
      reverse: false,
    },
    external: { resolvConf: '/etc/resolv.conf', ttl: kept, exchange: { policy: 'random' } },
    zones: [
      { name: 'in-addr.arpa', upstreams: ['tcp://10.96.0.11:53'], ttl: kept },
      { name: 'ip6.arpa', upstreams: ['tcp://10.96.0.11:53'], ttl: kept },
    ],
    cache: { entriesMax: 79_872 },
    admin: { listen: ['169.254.20.10:8080', '0.0.0.0:9253', '[::]:9253'] },
  })
})

test('a block without addresses listens on all, or where the caller says', () => {
  const text = '.:5300 {\nforward . 192.0.2.1\n}'
  assert.equal(settingsOf(text)['listen'], ['0.0.0.0:5300', '[::]:5300'])
  const wildcard = ['169.254.20.10']
  assert.equal(settingsOf(text, { wildcard })['listen'], ['169.254.20.10:5300'])
  const bound = '.:53 {\nbind 0.0.0.0\nforward . 192.0.2.1\n}'
  assert.equal(settingsOf(bound)['listen'], ['0.0.0.0:53'])
  assert.equal(settingsOf(bound, { wildcard })['listen'], ['169.254.20.10:53'])
})

test('labels without a port have that of the command line', () => {
  assert.equal(settingsOf('. {\nforward . 192.0.2.1\n}', { port: 5353 })['listen'], [
    '0.0.0.0:5353',
    '[::]:5353',
  ])
})

test('a link stands for its addresses', () => {
  const addressesOf = (link: string) => (link === 'lo' ? ['127.0.0.1', '::1'] : undefined)
  const text = '.:53 {\nbind lo {\nexcept 127.0.0.1\n}\nforward . 192.0.2.1\n}'
  assert.equal(settingsOf(text, { addressesOf })['listen'], ['[::1]:53'])
  assert.match(problemsOf(text)[0] ?? '', /^Corefile:2:6: "lo" is neither an IP address nor a link/)
})

test('link-local addresses of a link are left out, and a `bind` without an address is refused', () => {
  const addressesOf = (link: string) =>
    link === 'eth0' ? ['192.0.2.8', 'fe80::8'] : link === 'eth1' ? ['fe80::9'] : undefined
  const block = (words: string) => `.:53 {\nbind ${words}\nforward . 192.0.2.1\n}`
  const { settings, notes } = translate(block('eth0'), { file: 'Corefile', addressesOf })
  assert.equal(settings?.['listen'], ['192.0.2.8:53'])
  assert.match(notes[0]?.message ?? '', /`bind eth0` leaves fe80::8 out/)
  assert.match(problemsOf(block('eth1'), { addressesOf })[0] ?? '', /^Corefile:2:6: .*no address/)
  const allBut = block('eth0 {\nexcept 192.0.2.8\n}')
  assert.match(problemsOf(allBut, { addressesOf })[0] ?? '', /^Corefile:2:6: .*no address/)
  assert.match(problemsOf(block('fe80::8'))[0] ?? '', /^Corefile:2:6: .*link-local/)
  const page = '.:53 {\nhealth [fe80::8]:8080\nforward . 192.0.2.1\n}'
  assert.match(problemsOf(page)[0] ?? '', /^Corefile:2:8: /)
})

test('an IPv6 address without brackets has no port, whatever it ends with', () => {
  const { external } = settingsOf('.:53 {\nforward . 2001:db8::1:53\n}')
  assert.equal(external, { upstreams: ['udp://[2001:db8::1:53]:53'], ttl: notKept })
})

test('a type that has a name in CoreDNS alone is written as its number', () => {
  const text =
    '.:53 {\ntemplate IN LOC {\nrcode NOTIMPL\n}\nrewrite type NULL A\nforward . 192.0.2.1\n}'
  const { templates, rewrites } = settingsOf(text)
  assert.match(JSON.stringify(templates), /"type":"TYPE29".*"rcode":"NOTIMP"/)
  assert.match(JSON.stringify(rewrites), /"type":"TYPE10 A"/)
})

test('variables have their values', () => {
  const environment = (name: string) => (name === 'UP' ? '192.0.2.7' : undefined)
  const { external } = settingsOf('.:53 {\nforward . {$UP}\n}', { environment })
  assert.equal(external, { upstreams: ['udp://192.0.2.7:53'], ttl: notKept })
})

test('without a root block everything else is refused, and a name that no `forward` takes is a failure', () => {
  const text =
    'corp.example:53 {\nforward a.corp.example 192.0.2.1 {\nexcept b.a.corp.example\n}\n}'
  const { external, zones } = settingsOf(text)
  assert.equal(external, { withoutUpstreams: 'refused' })
  const nobody = { upstreams: [], withoutUpstreams: 'servfail', ttl: notKept }
  assert.equal(zones, [
    { name: 'corp.example', ...nobody },
    { name: 'a.corp.example', upstreams: ['udp://192.0.2.1:53'], ttl: notKept },
    { name: 'b.a.corp.example', ...nobody },
  ])
})

test('zones that `cache` leaves out, or a `disable` names, are not kept', () => {
  const text = '.:53 {\nforward . 192.0.2.1\ncache 30 a.example {\ndisable denial b.a.example\n}\n}'
  const { external, zones } = settingsOf(text)
  assert.equal(external, { upstreams: ['udp://192.0.2.1:53'], ttl: notKept })
  assert.equal(zones, [
    { name: 'a.example', upstreams: ['udp://192.0.2.1:53'], ttl: kept },
    {
      name: 'b.a.example',
      upstreams: ['udp://192.0.2.1:53'],
      ttl: { ...kept, negativeMinSeconds: 0, negativeMaxSeconds: 0 },
    },
  ])
})

test('what no cache keeps has the bounds of its TTLs all the same', () => {
  const text = '.:53 {\nforward . 192.0.2.1\ncache 30 {\ndisable success\ndisable denial\n}\n}'
  assert.equal(settingsOf(text)['external'], {
    upstreams: ['udp://192.0.2.1:53'],
    ttl: { ...kept, keep: false },
  })
})

test('several `forward` in a block: each for its names, and the next after a failure', () => {
  const two = (option: string) =>
    `.:53 {\nforward . 192.0.2.1 {\n${option}\n}\nforward . 192.0.2.2\n}`
  assert.equal(settingsOf(two('next SERVFAIL refused'))['external'], {
    upstreams: ['udp://192.0.2.1:53', 'udp://192.0.2.2:53'],
    ttl: notKept,
    exchange: { policy: 'sequential' },
  })
  assert.match(problemsOf(two('next NXDOMAIN'))[0] ?? '', /^Corefile:2:1: `next NXDOMAIN`/)
  const { external, zones } = settingsOf(two('except a.example'))
  assert.equal(external, { upstreams: ['udp://192.0.2.1:53'], ttl: notKept })
  assert.equal(zones, [{ name: 'a.example', upstreams: ['udp://192.0.2.2:53'], ttl: notKept }])
})

test('a file of name servers may come later for the root block, not for a zone', () => {
  const text = (zone: string) => `${zone} {\nforward . /run/resolv.conf\n}`
  const { settings, notes } = translate(text('.'), { file: 'Corefile' })
  assert.ok(settings)
  assert.match(notes[0]?.message ?? '', /^\/run\/resolv\.conf cannot be read here/)
  assert.match(problemsOf(text('a.example'))[0] ?? '', /1:1: \/run\/resolv\.conf cannot be read/)
  const files = { imported: () => undefined, text: () => 'nameserver 192.0.2.1\n' }
  const { zones } = settingsOf(text('a.example'), { files })
  assert.equal(zones, [
    {
      name: 'a.example',
      upstreams: ['udp://192.0.2.1:53'],
      ttl: notKept,
      exchange: { policy: 'random' },
    },
  ])
})

test('the cluster domain is told from its name, the Service, or the reverse zones', () => {
  const block = (zone: string, server: string) => `${zone} {\nforward . ${server}\n}\n`
  const root = block('.', '192.0.2.1')
  const two = block('a.example', '10.0.0.1') + block('corp.example', '10.0.0.2') + root
  assert.is(settingsOf(two, { clusterDns: '10.0.0.2' })['clusterDomain'], 'corp.example')
  const reverse = block('in-addr.arpa', '10.0.0.2')
  assert.is(settingsOf(reverse + two)['clusterDomain'], 'corp.example')
  assert.equal(settingsOf(root)['cluster'], { withoutUpstreams: 'outside', reverse: false })
  assert.equal(settingsOf(block('.', '10.0.0.2'), { clusterDns: '10.0.0.2' })['cluster'], {
    upstreams: ['udp://10.0.0.2:53'],
    ttl: notKept,
    reverse: false,
  })
})

test('an upstream that is ourselves is not asked, and said', () => {
  const text = '.:53 {\nbind 192.0.2.9\nforward . 192.0.2.9 192.0.2.1\n}'
  const { settings, notes } = translate(text, { file: 'Corefile' })
  assert.equal(settings?.['external'], {
    upstreams: ['udp://192.0.2.1:53'],
    ttl: notKept,
    exchange: { policy: 'random' },
  })
  assert.match(notes[0]?.message ?? '', /is an address of our own/)
})

test('one zone with different servers on two addresses is refused', () => {
  const block = (bind: string, server: string) => `.:53 {\nbind ${bind}\nforward . ${server}\n}\n`
  const two = block('192.0.2.1', '192.0.2.3') + block('192.0.2.2', '192.0.2.4')
  assert.match(problemsOf(two)[0] ?? '', /^Corefile:1:1: names of \. are answered differently at/)
  settingsOf(block('192.0.2.1', '192.0.2.3') + block('192.0.2.2', '192.0.2.3'))
  assert.match(
    problemsOf(block('192.0.2.1', '192.0.2.3') + block('192.0.2.1', '192.0.2.3'))[0] ?? '',
    /cannot serve dns:\/\/\.:53 on 192\.0\.2\.1/,
  )
})

test('what the blocks say of the cache becomes one, the strongest of each', () => {
  const block = (label: string, cache: string) =>
    `${label} {\nforward . 192.0.2.1\ncache {\n${cache}\n}\n}\n`
  const one = block('a.example', 'prefetch 3 30s 20%\nserve_stale 2h verify 500ms\nservfail 10s')
  const other = block(
    '.',
    'success 2048\ndenial 0 1\nprefetch 5\nserve_stale 1h verify\nservfail 0',
  )
  const { settings, notes } = translate(one + other, { file: 'Corefile' })
  assert.equal(settings?.['cache'], {
    entriesMax: 9984 + 9984 + 2048 + 1024,
    prefetch: { hitsMin: 3, remainingPercent: 20 },
    serveStale: {
      stalenessMaxSeconds: 7200,
      clientTimeoutMs: 500,
      clusterClientTimeoutMs: 500,
      replyTtlSeconds: 0,
    },
    failureTtl: { maxSeconds: 10 },
  })
  assert.equal(notes.filter(({ message }) => message.includes('differs from block')).length, 3)
  const immediate = settingsOf(block('.', 'serve_stale'))['cache']
  assert.equal(immediate, {
    entriesMax: 19_968,
    serveStale: {
      stalenessMaxSeconds: 3600,
      clientTimeoutMs: 0,
      clusterClientTimeoutMs: 0,
      replyTtlSeconds: 0,
    },
  })
  const off = settingsOf(block('.', 'serve_stale 0s\nprefetch 0'))['cache']
  assert.equal(off, {
    entriesMax: 19_968,
    prefetch: { hitsMin: 0 },
    serveStale: { enabled: false },
  })
})

test('a log has the rules of each zone, the deeper ones first', () => {
  const text =
    'a.example {\nlog b.a.example x.example {\nclass error\n}\nforward . 192.0.2.1\n}\n' +
    'c.example {\nforward . 192.0.2.1\n}\n.:53 {\nlog\ndebug\nforward . 192.0.2.1\n}'
  assert.equal(settingsOf(text)['log'], {
    level: 'debug',
    queries: {
      sampleOneIn: 1,
      rules: [
        { zone: 'b.a.example', classes: ['error'], format: '{common}' },
        { zone: 'a.example', classes: [] },
        { zone: 'c.example', classes: [] },
        { zone: '.', classes: ['success', 'denial', 'error'], format: '{common}' },
      ],
    },
  })
})

test('serve_stale has its TTL, its pause and its policy', () => {
  const stale = (words: string) => {
    const text = `.:53 {\ncache 30 {\n${words}\n}\nforward . 192.0.2.1\n}`
    const cache = settingsOf(text)['cache'] as { readonly serveStale: unknown }
    return cache.serveStale
  }
  const at = { stalenessMaxSeconds: 3600, clientTimeoutMs: 0, clusterClientTimeoutMs: 0 }
  assert.equal(stale('serve_stale'), { ...at, replyTtlSeconds: 0 })
  assert.equal(stale('serve_stale 1h immediate 30s 1m\nserve_stale_policy prefer_positive'), {
    ...at,
    replyTtlSeconds: 30,
    failureRecheckSeconds: 60,
    overDenials: true,
  })
  assert.equal(stale('serve_stale 1h verify 500ms 30s 5m'), {
    stalenessMaxSeconds: 3600,
    clientTimeoutMs: 500,
    clusterClientTimeoutMs: 500,
    replyTtlSeconds: 30,
    failureRecheckSeconds: 300,
  })
})

test('times and sizes', () => {
  const text =
    '.:53 {\nbufsize 1400\ntimeouts {\nread 5s\nwrite 10s\nidle 60s\n}\nforward . 192.0.2.1 {\nexpire 5s\nmax_age 60s\nread_timeout 300ms\nmax_connect_attempts 2\n}\n}'
  const { external, tcp, udp } = settingsOf(text)
  assert.equal(tcp, { idleMs: 60_000, messageMs: 5000, writeStallMs: 10_000 })
  assert.equal(udp, { replyBytesMax: 1400 })
  assert.equal(external, {
    upstreams: ['udp://192.0.2.1:53'],
    ttl: notKept,
    exchange: {
      attemptsMax: 2,
      timeout: { minMs: 300, maxMs: 300 },
      stream: { idleMs: 5000, ageMaxMs: 60_000 },
      udp: { payloadBytes: 1400 },
    },
  })
})

test('`edns0 local set` becomes an option of the group; without `continue` it ends the rules', () => {
  const rules = [
    'rewrite continue edns0 local set 0xffee 0xabcd',
    'rewrite continue edns0 local unset 0xffef',
    'rewrite edns0 local append 65001 ab',
    'rewrite name a.example b.example',
  ]
  const text = `. {\n${rules.join('\n')}\nforward . 192.0.2.1\n}`
  const { settings, notes } = translate(text, { file: 'Corefile' })
  const external = settings?.['external'] as { exchange?: unknown } | undefined
  assert.equal(external?.exchange, {
    ednsOptions: ['65518=abcd', '65001=6162'],
  })
  assert.is(settings?.['rewrites'], undefined)
  assert.ok(notes.some(({ line, message }) => line === 5 && message.includes('no question comes')))
})

test('`tls` with files: a CA, a certificate with its key, or all three; a key is not read here', () => {
  const asked: string[] = []
  const files = {
    imported: () => undefined,
    text: (path: string) => {
      asked.push(path)
      return path === '/none' ? undefined : '-----BEGIN CERTIFICATE-----'
    },
  }
  const tlsOf = (words: string) => {
    const text = `. {\nforward . tls://192.0.2.1 {\ntls ${words}\ntls_servername a.example\n}\n}`
    const { settings, problems } = translate(text, { file: 'Corefile', files })
    const external = settings?.['external'] as { exchange?: { stream?: { tls?: unknown } } }
    return problems[0]?.message ?? external.exchange?.stream?.tls
  }
  assert.equal(tlsOf('/ca'), { ca: '/ca' })
  assert.equal(tlsOf('/cert /key'), { certificate: '/cert', key: '/key' })
  assert.equal(tlsOf('/cert /key /ca'), { ca: '/ca', certificate: '/cert', key: '/key' })
  assert.is(tlsOf(''), undefined)
  assert.match(String(tlsOf('/none /key')), '/none cannot be read')
  assert.not.ok(asked.includes('/key'))
})

test('one socket serves an address and port: what a wildcard covers is left out', () => {
  const text =
    'a.example {\nbind 192.0.2.9\nforward . 192.0.2.1\nhealth 192.0.2.9:8080\n}\n. {\nforward . 192.0.2.1\nhealth\n}'
  const { listen, admin } = settingsOf(text)
  assert.equal(listen, ['0.0.0.0:53', '[::]:53'])
  assert.equal(admin, { listen: ['0.0.0.0:8080', '[::]:8080'] })
})

test('everything that is wrong is told at once, in the order of the file', () => {
  const text = '.:53 {\n  cache {\n    sucess 1\n  }\n  kubernetes\n  forward . tls\n  bind\n}'
  assert.equal(
    problemsOf(text).map((line) => line.split(' ')[0]),
    ['Corefile:3:5:', 'Corefile:5:3:', 'Corefile:6:13:', 'Corefile:7:3:'],
  )
})

test('a block of the cluster domain that asks nobody is SERVFAIL, but for what its stages answer', () => {
  const text =
    'cluster.local {\nhosts {\n192.0.2.9 a.cluster.local\n}\n}\n. {\nforward . 192.0.2.1\n}'
  const { clusterDomain, cluster, zones } = settingsOf(text)
  assert.equal([clusterDomain, zones], ['cluster.local', undefined])
  assert.equal(
    (cluster as { withoutUpstreams: string; upstreams: unknown }).withoutUpstreams,
    'servfail',
  )
})

const at53 = (line: string) => `.:53 {\n${line}\nforward . 192.0.2.1\n}`

/** What somebody reads who made the mistake: what is wrong, and what would be right. */
const said: readonly (readonly [text: string, message: RegExp])[] = [
  ['# nothing yet', /^1:1: there is no server block; write one/],
  ['a.example,b.example {\n}', /^1:1: .* put a blank after the comma/],
  ['udp://.:53 {\n}', /^1:1: "udp:\/\/\.:53" is no name of a zone; leave the scheme out/],
  ['[::1]:53 {\n}', /^1:1: .* addresses to listen on belong to `bind`/],
  ['*.example {\n}', /^1:1: .* leave "\*\." out/],
  ['.:53 {\nforward . {$NONE}\n}', /^2:11: an empty upstream; is a variable not set\?; write/],
  ['.:53 {\nforward . {$TWO}\n}', /^2:11: .* is one word; use a variable for each address/],
  ['.:53 {\nforward . 192.0.2.1/24\n}', /^2:11: .* is a network; write 192\.0\.2\.1$/],
  ['.:53 {\nforward . 2001:db8::1/64\n}', /^2:11: .* is a network; write 2001:db8::1$/],
  ['.:53 {\nforward . udp://192.0.2.1\n}', /^2:11: .* udp:\/\/ is no scheme of CoreDNS; write/],
  [at53('bind [::1]'), /^2:6: .* write ::1$/],
  [at53('health http://127.0.0.1:8080'), /^2:8: .* leave the scheme out/],
  [at53('template IN A {\nrcode 3\n}'), /^3:7: .* write it as NXDOMAIN or NOERROR/],
  [at53('import common'), /^2:8: .* define the snippet above, mount the file/],
]

for (const [text, message] of said) {
  test(`${text.replaceAll('\n', ' / ')}: ${message.source}`, () => {
    const environment = (name: string) => (name === 'TWO' ? '192.0.2.1 192.0.2.2' : undefined)
    const [first] = translate(text, { file: 'Corefile', environment }).problems
    assert.match(`${first?.line}:${first?.column}: ${first?.message}; ${first?.cure}`, message)
  })
}

/** As `said`, where it is CoreDNS's way to go on without it. */
const noted: readonly (readonly [text: string, message: RegExp])[] = [
  [
    '.:53 {\nforward . 192.0.2.1\n}\n}',
    /^4:1: "}" is no name of a zone and is passed over; remove it: every block is closed/,
  ],
  ['.:53 {}', /^1:6: "{}" .* is passed over; write "{" and "}" on lines of their own/],
  ['.:53 a.x,b.x {\n}', /^1:6: .* is passed over; put a blank after the comma/],
  ['.:53 {\n}\n*.example {\nbind 192.0.2.9\n}', /^3:1: .* leave "\*\." out/],
]

for (const [text, message] of noted) {
  test(`${text.replaceAll('\n', ' / ')}: ${message.source}`, () => {
    const { notes, settings } = translate(text, { file: 'Corefile' })
    assert.ok(settings)
    assert.equal(settings?.['listen'], ['0.0.0.0:53', '[::]:53'])
    assert.ok(notes.some((one) => message.test(`${one.line}:${one.column}: ${one.message}`)))
  })
}

test('the probes of a block without a zone are served all the same', () => {
  const { settings } = translate('.:53 {\n}\n*.example {\nhealth :8080\n}', { file: 'Corefile' })
  assert.equal(settings?.['admin'], { listen: ['0.0.0.0:8080', '[::]:8080'] })
})

test('a mistake in the grammar ends the reading', () => {
  assert.equal(problemsOf('.:53 {\ncache 30'), [
    'Corefile:2:7: the file ends within a block; a "}" is missing',
  ])
})

test.run()
