/*
 * Goal: `rewrite`, `template` and `hosts` are for the names of their block alone, as in a Corefile, and keep their order. Method: Corefiles, and the settings
 * of the stages that come of them, which the configuration's own checks accept.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { translate } from '../../src/nodelocal/translate.ts'

const test = suite('nodelocal/stages')

function settingsOf(text: string) {
  const { settings, problems } = translate(text, { file: 'Corefile' })
  assert.equal(problems, [])
  const loaded = loadConfig({ settings: { name: 'Corefile', value: settings } })
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return settings ?? {}
}

const block = (labels: string, lines: string) => `${labels} {\n${lines}\nforward . 192.0.2.1\n}\n`

test('a template of the root block leaves the names of other blocks alone', () => {
  const text =
    block('a.example b.example', 'errors') +
    block('.', 'template IN AAAA {\nrcode NXDOMAIN\nfallthrough\n}\ntemplate ANY ANY c.example')
  assert.equal(settingsOf(text)['templates'], [
    {
      except: ['a.example', 'b.example'],
      type: 'AAAA',
      rcode: 'NXDOMAIN',
      fallthrough: ['.'],
    },
    { zones: ['c.example'], class: 'ANY', type: 'ANY' },
  ])
})

test('one of a zone is for its block only, and for nothing when its names lie elsewhere', () => {
  const text =
    block('a.example', 'template IN A . x.a.example b.example') +
    block('.', 'template IN A y.a.example')
  assert.equal(settingsOf(text)['templates'], [{ zones: ['a.example', 'x.a.example'], type: 'A' }])
})

test('hosts', () => {
  const text =
    block('a.example', 'errors') +
    block('.', 'hosts /etc/more {\n192.0.2.1 x.example\nttl 60\nreload 500ms\nno_reverse\n}')
  assert.equal(settingsOf(text)['hosts'], [
    {
      except: ['a.example'],
      file: '/etc/more',
      entries: ['192.0.2.1 x.example'],
      ttlSeconds: 60,
      reloadSeconds: 1,
      reverse: false,
    },
  ])
})

test('a rewrite of a block is for its names, and what it makes belongs to somebody', () => {
  const { settings, notes } = translate(
    block(
      'a.example',
      'rewrite name suffix .a.example .made.example answer auto\nrewrite ttl x.a.example 5',
    ) +
      block('b.example', 'rewrite continue name regex (.*)[.]b[.]example {1}.svc.a.example') +
      block('.', 'rewrite type ANY A').replace('192.0.2.1', '192.0.2.2'),
    { file: 'Corefile' },
  )
  assert.equal(settings?.['rewrites'], [
    {
      zones: ['a.example'],
      match: 'suffix',
      from: '.a.example.',
      to: '.made.example.',
      answer: ['auto'],
    },
    { zones: ['a.example'], from: 'x.a.example.', ttl: '5' },
    {
      zones: ['b.example'],
      match: 'regex',
      from: '(.*)[.]b[.]example',
      to: '{1}.svc.a.example.',
      mode: 'continue',
    },
    { except: ['a.example', 'b.example'], type: 'ANY A' },
  ])
  const zones = settings?.['zones'] as readonly { name: string; upstreams: readonly string[] }[]
  assert.equal(
    zones.map(({ name, upstreams }) => [name, ...upstreams]),
    [
      ['a.example', 'udp://192.0.2.1:53'],
      ['made.example', 'udp://192.0.2.1:53'],
      ['b.example', 'udp://192.0.2.1:53'],
    ],
  )
  assert.equal(
    notes.map(({ line, message }) => [line, message]),
    [
      [
        2,
        'names of made.example, to which this leads, are asked of udp://192.0.2.1:53 for everybody here, and not only when they are rewritten',
      ],
    ],
  )
})

test('a rewrite to names of another block leads to its servers, which is said', () => {
  const text =
    block('cluster.local', 'errors') +
    block('.', 'rewrite name suffix .corp.example .svc.cluster.local').replace(
      '192.0.2.1',
      '192.0.2.2',
    )
  const { notes, settings } = translate(text, { file: 'Corefile' })
  assert.ok(settings)
  assert.match(
    notes[0]?.message ?? '',
    /are asked of the servers of cluster\.local \(block in line 1\), and not of/,
  )
})

test('whoami tells names that no forward takes', () => {
  const text =
    '.:53 {\nwhoami\nforward a.example 192.0.2.1 {\nexcept b.a.example\n}\n}\nc.example {\nerrors\n}\n'
  assert.equal(settingsOf(text)['whoami'], [
    { except: ['c.example', 'a.example'] },
    { zones: ['b.a.example'] },
  ])
  const { settings, notes } = translate(block('.', 'whoami'), { file: 'Corefile' })
  assert.is(settings?.['whoami'], undefined)
  assert.match(notes[0]?.message ?? '', /never reached/)
})

test('dns64 is for the names of its block', () => {
  const text =
    block('cluster.local', 'errors') +
    block('a.example', 'dns64 2001:db8::1/32') +
    block('.', 'dns64 {\ntranslate_all\nallow_ipv4\n}')
  assert.equal(settingsOf(text)['dns64'], [
    { zones: ['a.example'], prefix: '2001:db8::/32' },
    { except: ['cluster.local', 'a.example'], translateAll: true, ipv4Clients: true },
  ])
})

test('blocks that are alike but for their addresses have one', () => {
  const one = (bind: string) => block('.', `bind ${bind}\ntemplate IN AAAA`)
  assert.equal(settingsOf(one('192.0.2.8') + one('192.0.2.9'))['templates'], [{ type: 'AAAA' }])
  const other = one('192.0.2.8') + block('.', 'bind 192.0.2.9\ntemplate IN A')
  const { problems } = translate(other, { file: 'Corefile' })
  assert.match(problems[0]?.message ?? '', /answered differently/)
})

test.run()
