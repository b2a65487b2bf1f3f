/** Goal: slow and failed queries of all processes are one list, and a tail says what is wrong with its filter. Method: the calls of a data path. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ReplySource } from '../../../src/core/facts.ts'
import { liveCalls } from '../../../src/daemon/operator/live-calls.ts'
import { everywhereFor, Operations } from '../../../src/daemon/operator/operation.ts'
import type { Page } from '../../../src/observe/admin-calls.ts'
import { arrivalOf, factsOf, replyOf } from '../../observe/live/support.ts'
import { dataPathOf } from '../support.ts'

const test = suite('daemon/operator/live-calls')

function worldOf() {
  const path = dataPathOf({})
  path.exchange.stop()
  const nameClients = async (clients: readonly (readonly [string, number])[]) =>
    clients.map(([address, atMs]) =>
      address === '192.0.2.1' && atMs > 0 ? 'shop/cart-0' : undefined,
    )
  const parts = { flights: path.flights, watch: path.watch, nameClients }
  const calls = liveCalls(parts, everywhereFor(undefined), new Operations())
  const call = async (at: string, search = ''): Promise<Page> => {
    const found = calls.find((one) => one.path === at)
    if (found === undefined) throw new Error(`no call ${at}`)
    const params = new URLSearchParams(search)
    return found.answer({ params, body: Buffer.alloc(0), isRoot: false })
  }
  return { path, call }
}

test('failures and slow ones have a page each', async () => {
  const { path, call } = worldOf()
  path.flights.note(arrivalOf('a.example'), replyOf(ReplySource.failed, 2), undefined, 1)
  path.flights.note(arrivalOf('b.example'), replyOf(ReplySource.upstream), undefined, 900)
  const names = async (at: string) =>
    JSON.parse((await call(at)).body).queries.map(({ name }: { name: string }) => name)
  assert.equal(await names('/v1/failures'), ['a.example.'])
  assert.equal(await names('/v1/slow'), ['b.example.'])
  assert.is(JSON.parse((await call('/v1/slow')).body).queries[0].pod, 'shop/cart-0')
})

test('a tail gets the lines of its viewer', async () => {
  const { path, call } = worldOf()
  await call('/v1/tail', 'viewer=v&under=example')
  path.watch.seen(arrivalOf('a.example'), replyOf(ReplySource.upstream), factsOf())
  path.watch.seen(arrivalOf('a.test'), replyOf(ReplySource.upstream), factsOf())
  const page = JSON.parse((await call('/v1/tail', 'viewer=v&under=example')).body)
  assert.equal(
    page.lines.map(({ name }: { name: string }) => name),
    ['a.example.'],
  )
  assert.is(page.lines[0].pod, 'shop/cart-0')
  for (let i = 0; i < 7; i++) await call('/v1/tail', `viewer=v${i}`)
  assert.is((await call('/v1/tail', 'viewer=w')).status, 429)
  path.watch.stop()
})

const mistakes: readonly [search: string, why: RegExp][] = [
  ['', /^viewer is missing$/],
  ['viewer=', /^viewer is ""; expected a text/],
  ['viewer=v&under=a..b', /^under is "a\.\.b"; expected a domain name$/],
  ['viewer=v&type=NOTYPE', /expected a record type/],
  ['viewer=v&source=heaven', /expected one of cacheSuccess, /],
  ['viewer=v&slower=-1', /expected a number of milliseconds$/],
  ['viewer=v&rocde=x', /^unknown parameter "rocde"$/],
  ['viewer=v&constructor=x', /^unknown parameter "constructor"$/],
]
for (const [search, why] of mistakes) {
  test(`a tail with ${search} is told what is wrong`, async () => {
    const page = await worldOf().call('/v1/tail', search)
    assert.is(page.status, 400)
    assert.match(JSON.parse(page.body).error, why)
  })
}

test.run()
