/*
 * Goal: a changed Corefile that takes trust away counts at once; one that gives trust waits until every CoreDNS pod must have loaded it.
 * Method: the real judge under a clock that is wound by hand.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CorefileSource, corefileAlone } from '../../src/corefile/files.ts'
import { CorefileTrust } from '../../src/daemon/corefile-trust.ts'
import { configOf, doubtedCorefile, KeptLog, trustedCorefile, withHandClock } from './support.ts'

const test = suite('daemon/corefile-trust')

const config = configOf()
/** kubelet's 90 s and the 45 s of CoreDNS's `reload`. */
const leastMs = 135_000

function opened(corefile: CorefileSource | undefined) {
  const log = new KeptLog()
  const trust = new CorefileTrust(config, corefile, log)
  let adopted = 0
  const use = (source: CorefileSource) =>
    trust.use(source, config, () => {
      adopted += 1
      trust.judge(config)
    })
  return { log, trust, use, adopted: () => adopted }
}

test('the first Corefile counts at once: no CoreDNS pod can have an older one that we know of', () => {
  assert.is(opened(trustedCorefile).trust.verdict.level, 'verified')
  assert.is(opened(undefined).trust.verdict.level, 'cautious')
})

test('a Corefile that ends the trust counts at once', () =>
  withHandClock((clock) => {
    const { trust, use } = opened(trustedCorefile)
    use(doubtedCorefile)
    clock.wind(1)
    assert.is(trust.verdict.level, 'cautious')
  }))

test('a Corefile that gives trust counts when every CoreDNS pod has loaded it, not before', () =>
  withHandClock((clock) => {
    const { trust, use, adopted } = opened(doubtedCorefile)
    use(trustedCorefile)
    clock.wind(leastMs)
    assert.is(trust.verdict.level, 'cautious')
    clock.wind(180_000 - leastMs)
    assert.equal([trust.verdict.level, adopted()], ['verified', 1])
  }))

test('a Corefile that is taken back while it waits is never believed', () =>
  withHandClock((clock) => {
    const { trust, use, adopted } = opened(doubtedCorefile)
    use(trustedCorefile)
    clock.wind(170_000)
    use(doubtedCorefile)
    clock.wind(400_000)
    assert.equal([trust.verdict.level, adopted()], ['cautious', 1])
  }))

test('each change begins the waiting anew: the pods have to load the newest', () =>
  withHandClock((clock) => {
    const { trust, use, adopted } = opened(doubtedCorefile)
    use(trustedCorefile)
    clock.wind(170_000)
    use(corefileAlone(`${trustedCorefile.text}\n`))
    clock.wind(170_000)
    assert.is(trust.verdict.level, 'cautious')
    clock.wind(10_000)
    assert.equal([trust.verdict.level, adopted()], ['verified', 1])
  }))

test('while a Corefile waits, a reload judges by the one in force', () =>
  withHandClock((clock) => {
    const { trust, use } = opened(doubtedCorefile)
    use(trustedCorefile)
    clock.wind(1000)
    trust.judge(config)
    assert.is(trust.verdict.level, 'cautious')
  }))

test('another configuration changes the verdict about the same Corefile', () => {
  const { trust } = opened(trustedCorefile)
  trust.judge(configOf({ clusterDomain: 'kids.example' }))
  assert.is(trust.verdict.level, 'cautious')
  trust.judge(config)
  assert.is(trust.verdict.level, 'verified')
})

test('the log says what is trusted when that changes; reasons are said at every reload', () => {
  const { log, trust } = opened(trustedCorefile)
  trust.judge(config)
  assert.equal(log.lines, [])
  trust.judge(configOf({ searchPath: { trust: 'declared' } }))
  assert.is(log.lines.at(-1)?.fields['trust'], 'declared')
  const doubted = opened(doubtedCorefile)
  doubted.trust.judge(config)
  doubted.trust.judge(config)
  assert.is(doubted.log.lines.length, 2)
  assert.match(String(doubted.log.lines[0]?.fields['reasons']), /template/)
})

test('nothing is adopted after the end', () =>
  withHandClock((clock) => {
    const { trust, use, adopted } = opened(trustedCorefile)
    use(doubtedCorefile)
    trust.stop()
    clock.wind(1000)
    assert.is(adopted(), 0)
  }))

test.run()
