/*
 * Goal: the trust level is what the operator says, or what CoreDNS's own Corefile proves; anything less is cautious. Method: configurations and
 * Corefiles in, verdicts out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { corefileAlone } from '../../src/corefile/files.ts'
import { judgeTrust } from '../../src/daemon/search-trust.ts'
import { corefileFixtures } from '../corefile/fixtures.ts'
import { configOf, doubtedCorefile, trustedCorefile } from './support.ts'

const test = suite('daemon/search-trust')

const auto = configOf()

test('a Corefile in which nothing but kubernetes can answer is trusted', () => {
  assert.equal(judgeTrust(auto, trustedCorefile), {
    level: 'verified',
    multicluster: false,
    reasons: [],
  })
})

for (const [what, text] of [
  ['no Corefile', undefined],
  ['an empty one, as a file is that is just being written', ''],
  ['one of white space', ' \n\t\n'],
] as const) {
  test(`${what}: cautious, and no reason, because nothing was wrong with it`, () => {
    const source = text === undefined ? undefined : corefileAlone(text)
    assert.equal(judgeTrust(auto, source), { level: 'cautious', multicluster: false, reasons: [] })
  })
}

test('a doubted Corefile makes cautious, with the line', () => {
  const { level, reasons } = judgeTrust(auto, doubtedCorefile)
  assert.is(level, 'cautious')
  assert.is(reasons.length, 1)
  assert.match(reasons[0] ?? '', /^line 6: `template` may answer names of cluster\.local/)
})

test('a Corefile that cannot be read makes cautious, with the line', () => {
  const { level, reasons } = judgeTrust(
    auto,
    corefileAlone('.:53 {\n  kubernetes cluster.local {\n'),
  )
  assert.is(level, 'cautious')
  assert.match(reasons[0] ?? '', /^line \d+: \S/)
})

test('a Corefile for another cluster domain proves nothing about ours', () => {
  const { level, reasons } = judgeTrust(
    configOf({ clusterDomain: 'kids.example' }),
    trustedCorefile,
  )
  assert.is(level, 'cautious')
  assert.ok(reasons.length > 0)
})

for (const trust of ['cautious', 'declared'] as const) {
  test(`what the operator says counts, whatever the Corefile shows: ${trust}`, () => {
    const config = configOf({ searchPath: { trust } })
    for (const text of [undefined, trustedCorefile, doubtedCorefile, corefileAlone('{{{')]) {
      assert.equal(judgeTrust(config, text), { level: trust, multicluster: false, reasons: [] })
    }
  })
}

test('multicluster names are expected when either the operator or the trusted Corefile says so', () => {
  const fixture = corefileFixtures('trusted').find(({ name }) =>
    name.endsWith('multicluster-zonal'),
  )
  const multicluster = corefileAlone(fixture?.text ?? '')
  const declared = configOf({ searchPath: { multicluster: true } })
  assert.is(judgeTrust(auto, multicluster).multicluster, true)
  assert.is(judgeTrust(declared, trustedCorefile).multicluster, true)
  // To expect fewer shapes of names than there are would deny those that exist.
  assert.is(judgeTrust(declared, undefined).multicluster, true)
  assert.is(judgeTrust(declared, doubtedCorefile).multicluster, true)
})

test.run()
