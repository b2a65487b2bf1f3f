/*
 * Goal: whatever is not known to leave names of the cluster domain alone counts as a danger, and a name that only looks like one of them does
 * not. Method: one directive in, the danger out; whole Corefiles are judged in corefile/trust.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readDirective } from '../../src/corefile/directive.ts'
import { dangerOf, mayTouch } from '../../src/corefile/plugins.ts'
import { tokenizeCorefile } from '../../src/corefile/tokens.ts'

const test = suite('corefile/plugins')

const domain = 'cluster.local'

function danger(text: string): string | undefined {
  const result = readDirective(tokenizeCorefile(text))
  if (!result.ok) throw new Error(result.problem.message)
  return dangerOf(result.directive, domain)
}

const harmless = [
  'errors',
  'cache 30',
  'loadbalance round_robin',
  'health {\nlameduck 5s\n}',
  'template ANY ANY corp.example',
  'file /etc/zone corp.example',
  'autopath corp.example @kubernetes',
  'etcd corp.example {\npath /x\n}',
  'acl corp.example',
  'k8s_external example.org',
  'forward . /etc/resolv.conf',
  'forward local 10.0.0.1',
  'forward corp.example 10.0.0.1',
  'hosts /etc/more corp.example',
  'hosts /dev/null {\n10.0.0.1 a.corp.example\nfallthrough\n}',
  'hosts /dev/null {\n10.0.0.1 a.corp.example\nfallthrough cluster.local\n}',
  'hosts /dev/null {\n10.0.0.1 a.corp.example\nfallthrough local\n}',
  'rewrite name a.corp.example b.example',
  'rewrite name exact a.corp.example b.cluster.local',
  'rewrite stop name suffix .corp.example .example',
  'rewrite name notcluster.local x.example',
]
for (const text of harmless) {
  test(`no danger: ${text.replaceAll('\n', '; ')}`, () => assert.is(danger(text), undefined))
}

const dangerous: readonly [text: string, says: RegExp][] = [
  ['madeup', /what `madeup` does to names of cluster\.local is not known/],
  ['erratic', /not known/],
  ['whoami', /not known/],
  ['view internal', /not known/],
  ['template ANY ANY', /`template` may answer names of cluster\.local/],
  ['template ANY ANY corp.example svc.cluster.local', /may answer/],
  ['template ANY ANY local', /may answer/],
  ['template ANY ANY .', /may answer/],
  ['file /etc/zone', /may answer/],
  ['etcd cluster.local', /may answer/],
  ['acl CLUSTER.local.', /may answer/],
  ['autopath @kubernetes', /may answer/],
  ['template ANY ANY {$ZONE}', /may answer/],
  ['forward svc.cluster.local 10.0.0.1', /`forward` names a zone of cluster\.local/],
  ['forward cluster.local 10.0.0.1', /names a zone/],
  ['grpc a.cluster.local 10.0.0.1:443', /`grpc` names a zone/],
  ['forward {$FROM} 10.0.0.1', /names a zone/],
  ['forward', /names a zone/],
  ['hosts', /also reads \/etc\/hosts/],
  ['hosts /etc/more', /reads `\/etc\/more`/],
  ['hosts /etc/more local', /reads `\/etc\/more`/],
  ['hosts /dev/null {\n10.0.0.1 x.cluster.local\nfallthrough\n}', /answers `x\.cluster\.local`/],
  ['hosts /dev/null {\n10.0.0.1 *.cluster.local\nfallthrough\n}', /answers `\*\.cluster\.local`/],
  ['hosts /dev/null {\n10.0.0.1 "a.example x.cluster.local"\nfallthrough\n}', /x\.cluster\.local/],
  ['hosts /dev/null {\n10.0.0.1 a.example\n}', /without `fallthrough`/],
  ['hosts /dev/null {\n10.0.0.1 a.example\nfallthrough corp.example\n}', /without `fallthrough`/],
  ['hosts /dev/null {\nfallthrough\nfallthrough corp.example\n}', /without `fallthrough`/],
  ['rewrite name a.cluster.local b.example', /`rewrite` may change/],
  ['rewrite name suffix .cluster.local .example', /may change/],
  ['rewrite name suffix al .example', /may change/],
  ['rewrite name suffix .local .example', /may change/],
  ['rewrite name regex (.*) {1}', /may change/],
  ['rewrite name prefix a b', /may change/],
  ['rewrite name substring a b', /may change/],
  ['rewrite ttl exact a.example 5', /may change/],
  ['rewrite name exact a.example b.example {\nanswer auto\n}', /may change/],
  ['rewrite', /may change/],
]
for (const [text, says] of dangerous) {
  test(`danger: ${text.replaceAll('\n', '; ')}`, () => assert.match(danger(text) ?? 'none', says))
}

test('a rewrite rule in a block is read as CoreDNS reads it, word by word', () => {
  assert.is(danger('rewrite stop {\nname exact a.example b.example\n}'), undefined)
  assert.match(
    danger('rewrite stop {\nname exact a.cluster.local b.example\n}') ?? '',
    /may change/,
  )
})

test('a reason does not repeat a word of whatever length', () => {
  assert.ok((danger(`hosts /${'x'.repeat(5000)}`) ?? '').length < 300)
})

test('a zone touches the domain when it is at, above or below it; what is no plain zone may be anything', () => {
  for (const zone of [
    '.',
    'local',
    'cluster.local',
    'CLUSTER.LOCAL.',
    'a.cluster.local',
    'a\\.b',
    '*.x',
    '{$Z}',
    '',
  ]) {
    assert.ok(mayTouch(zone, domain), zone)
  }
  for (const zone of [
    'example',
    'xcluster.local',
    'cluster.local.example',
    '10.0.0.0/8',
    'cluster',
  ]) {
    assert.not.ok(mayTouch(zone, domain), zone)
  }
})

test.run()
