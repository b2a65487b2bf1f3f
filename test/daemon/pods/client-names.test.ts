/** Goal: clients have names where that is wanted and possible, the node is itself. Method: the API that the tests play, and environments without it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ClientNames } from '../../../src/daemon/pods/client-names.ts'
import { until } from '../../support/process.ts'
import { KubeApi } from '../../support/world/kube-api.ts'
import { KeptLog } from '../support.ts'
import { podOf } from './pods.ts'

const test = suite('daemon/pods/client-names')
const localAddresses = () => ['127.0.0.1', '192.0.2.7']

test('pods by name, the node as itself, others not at all; off is off', async () => {
  const api = await KubeApi.start()
  api.put('pods', podOf('shop/cart-0', { ip: '10.1.0.5' }))
  api.put('pods', podOf('kube-system/proxy', { ip: '192.0.2.7', hostNetwork: true }))
  const place = { url: new URL(api.url), accountFolder: undefined }
  const names = new ClientNames({
    ...{ log: new KeptLog(), place, nodeName: 'node-7', localAddresses },
  })
  const nowMs = Date.now()
  const asked = (...addresses: string[]) => names.namesOf(addresses.map((one) => [one, nowMs]))
  try {
    assert.is(asked('10.1.0.5'), undefined)
    names.follow(true)
    await until('it is named', () => asked('10.1.0.5')?.[0] !== undefined, { timeoutMs: 30_000 })
    assert.equal(asked('10.1.0.5', '192.0.2.7', '127.0.0.1', '10.9.9.9'), [
      ...['shop/cart-0', 'node', 'node', undefined],
    ])
    assert.equal(names.addressesOf('shop/cart-0'), ['10.1.0.5'])
    assert.equal(names.addressesOf('node'), ['127.0.0.1', '192.0.2.7'])
    assert.equal(names.addressesOf('shop/cart-1'), [])
    names.follow(false)
    assert.equal([names.isOn, asked('10.1.0.5')], [false, undefined])
    assert.is(names.addressesOf('shop/cart-0'), undefined)
  } finally {
    names.follow(false)
    await api.stop()
  }
})

test('an environment that says too little is told of, and nothing is tried', () => {
  const log = new KeptLog()
  const url = new URL('http://127.0.0.1:1')
  for (const parts of [
    { place: undefined, nodeName: 'node-7' },
    { place: { url, accountFolder: undefined }, nodeName: undefined },
  ]) {
    const names = new ClientNames({ log, localAddresses, ...parts })
    names.follow(true)
    assert.is(names.isOn, false)
  }
  assert.equal(
    log.lines.map(({ fields }) => fields['missing']),
    ['KUBERNETES_SERVICE_HOST', 'NODE_NAME'],
  )
})

test.run()
