/** Goal: the interception shows its addresses, its backend and its troubles. Method: given numbers, scraped and read back. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { scrape, seriesIn, sourcesWith } from '../support.ts'

const test = suite('observe/families/interception')

test('addresses, backend and troubles are labels from closed lists', async () => {
  const interception = {
    backend: 'nftables',
    kubeProxy: 'iptables',
    addresses: [
      { address: '169.254.20.10', role: 'own', isActive: true },
      { address: '10.96.0.10', role: 'service', isActive: false },
    ],
    troubles: new Map([
      ['rules_flushed', 2],
      ['address_gone', 0],
    ]),
    renewals: 40,
    standbyTargets: 3,
  }
  const scraped = await scrape(sourcesWith({ interception: () => interception }))
  assert.equal(seriesIn(scraped, 'neardns_interception_info'), [
    [{ backend: 'nftables', kube_proxy: 'iptables' }, 1],
  ])
  assert.equal(seriesIn(scraped, 'neardns_interception_active'), [
    [{ address: '169.254.20.10', role: 'own' }, 1],
    [{ address: '10.96.0.10', role: 'service' }, 0],
  ])
  assert.equal(seriesIn(scraped, 'neardns_interception_troubles_total'), [
    [{ kind: 'rules_flushed' }, 2],
    [{ kind: 'address_gone' }, 0],
  ])
  assert.equal(seriesIn(scraped, 'neardns_interception_renewals_total'), [[{}, 40]])
  assert.equal(seriesIn(scraped, 'neardns_interception_standby_targets'), [[{}, 3]])
})

test.run()
