/**
 * Goal: names follow the API: at the start, by its watch, over the end of a watch, a history that is gone, and an API that goes and comes. Method: the
 * API that the tests play.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiClient } from '../../../src/daemon/pods/api-client.ts'
import { PodWatch } from '../../../src/daemon/pods/pod-watch.ts'
import { until } from '../../support/process.ts'
import { KubeApi } from '../../support/world/kube-api.ts'
import { podOf } from './pods.ts'

const test = suite('daemon/pods/pod-watch')
const patience = { timeoutMs: 30_000 }

interface World {
  readonly api: KubeApi
  readonly watch: PodWatch
  readonly said: string[]
  named(address: string): string | undefined
}

async function withWatch(body: (world: World) => Promise<void>): Promise<void> {
  const api = await KubeApi.start()
  api.put('pods', podOf('shop/cart-0', { ip: '10.1.0.5' }))
  const said: string[] = []
  const watch = new PodWatch({
    api: new ApiClient({ url: new URL(api.url), accountFolder: undefined }),
    nodeName: 'node-7',
    onTrouble: (why) => said.push(why),
    onRead: (pods) => said.push(`${pods} pods`),
  })
  const running = watch.run()
  const named = (address: string) => watch.names.nameAt(address, Date.now())
  try {
    await until('the list is read', () => named('10.1.0.5') === 'shop/cart-0', patience)
    await until('it watches', () => api.watchCount === 1, patience)
    await body({ api, watch, said, named })
  } finally {
    watch.stop()
    await running
    await api.stop().catch(() => undefined)
  }
}

test('the pods of the own node are asked for, in pages, and watched from there', async () => {
  await withWatch(async ({ api, said }) => {
    const [list, watch] = api.requests
    assert.is(list, 'GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-7&limit=20')
    assert.match(
      watch ?? '',
      /&watch=1&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=2$/,
    )
    assert.equal(said, ['1 pods'])
  })
})

test('what comes, goes and takes over an address is followed', async () => {
  await withWatch(async ({ api, named }) => {
    api.put('pods', podOf('shop/cart-1', { ip: '10.1.0.6' }))
    await until('the new one', () => named('10.1.0.6') === 'shop/cart-1', patience)
    api.delete('pods', 'cart-1', 'shop')
    await until('it is gone', () => named('10.1.0.6') === undefined, patience)
    api.put('pods', podOf('blog/web-0', { ip: '10.1.0.5', startMs: 2000 }))
    await until('another has its address', () => named('10.1.0.5') === 'blog/web-0', patience)
  })
})

test('a watch that ends goes on where it was; a history that is gone is read anew', async () => {
  await withWatch(async ({ api, named, said }) => {
    api.dropWatches()
    api.put('pods', podOf('shop/cart-1', { ip: '10.1.0.6' }))
    await until('what came meanwhile', () => named('10.1.0.6') === 'shop/cart-1', patience)
    assert.is(said.filter((line) => line.endsWith('pods')).length, 1)
    api.dropWatches()
    for (let i = 0; i < 2100; i++)
      api.put('services', { metadata: { name: `s${i}`, namespace: 'a' } })
    api.put('pods', podOf('shop/cart-2', { ip: '10.1.0.7' }))
    await until('the list is read anew', () => named('10.1.0.7') === 'shop/cart-2', patience)
    assert.equal(
      said.filter((line) => line.endsWith('pods')),
      ['1 pods', '3 pods'],
    )
  })
})

test('an API that goes is said once, and is found again', async () => {
  await withWatch(async ({ api, named, said }) => {
    const { port } = new URL(api.url)
    await api.stop()
    await until('it is said', () => said.length > 1, patience)
    const again = await KubeApi.start(undefined, { port: Number(port) })
    try {
      again.put('pods', podOf('blog/web-0', { ip: '10.1.0.9' }))
      again.put('pods', podOf('blog/web-1', { ip: '10.1.0.8' }))
      await until('it is found', () => named('10.1.0.8') === 'blog/web-1', patience)
      assert.is(said.filter((line) => !line.endsWith('pods')).length, 1, said.join('\n'))
    } finally {
      await again.stop()
    }
  })
})

test.run()
