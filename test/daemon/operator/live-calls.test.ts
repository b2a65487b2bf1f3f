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

function worldOf(isNaming = true) {
  const path = dataPathOf({})
  path.exchange.stop()
  const nameClients = async (clients: readonly (readonly [string, number])[]) =>
    clients.map(([address, atMs]) =>
      address === '192.0.2.1' && atMs > 0 ? 'shop/cart-0' : undefined,
    )
  // The pod's first address is that of `arrivalOf`.
  const pods: Record<string, string[]> = { 'shop/cart-0': ['192.0.2.1', 'fd00::1'] }
  const findClient = async (name: string) => (isNaming ? (pods[name] ?? []) : undefined)
  const parts = { flights: path.flights, watch: path.watch, nameClients, findClient }
  const calls = liveCalls(parts, everywhereFor(undefined), new Operations())
  const call = async (at: string, search = ''): Promise<Page> => {
    const found = calls.find((one) => one.path === at)
    if (found === undefined) throw new Error(`no call ${at}`)
    const params = new URLSearchParams(search)
    return found.answer({ params, body: Buffer.alloc(0), isRoot: false })
  }
  return { path, pods, call }
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

test('a tail of one client: by address however it is written, or by the name of a pod', async () => {
  const { path, call } = worldOf()
  const names = async (client: string) => {
    const search = `viewer=${client}&client=${client}`
    await call('/v1/tail', search)
    path.watch.seen(arrivalOf('a.example'), replyOf(ReplySource.upstream), factsOf())
    const page = JSON.parse((await call('/v1/tail', search)).body)
    return page.lines.map(({ name }: { name: string }) => name)
  }
  assert.equal(await names('192.0.2.1'), ['a.example.'])
  assert.equal(await names('shop/cart-0'), ['a.example.'])
  assert.equal(await names('192.0.2.2'), [])
  assert.equal(await names('FD00:0::1'), [])
  path.watch.stop()
})

test('a tail of one response code: in any case, and of codes without a name', async () => {
  const { path, call } = worldOf()
  const count = async (asked: string, rcode: number) => {
    const search = `viewer=${asked}&rcode=${asked}`
    await call('/v1/tail', search)
    const reply = replyOf(ReplySource.upstream, rcode)
    path.watch.seen(arrivalOf('a.example'), reply, factsOf({ rcode }))
    return JSON.parse((await call('/v1/tail', search)).body).lines.length
  }
  assert.is(await count('nxdomain', 3), 1)
  assert.is(await count('other', 99), 1)
  assert.is(await count('REFUSED', 3), 0)
  path.watch.stop()
})

test('a tail follows the pod to the address of its successor', async () => {
  const { path, pods, call } = worldOf()
  const search = 'viewer=v&client=shop/cart-0'
  const look = async () => JSON.parse((await call('/v1/tail', search)).body).lines.length
  pods['shop/cart-0'] = ['192.0.2.77']
  await look()
  path.watch.seen(arrivalOf('a.example'), replyOf(ReplySource.upstream), factsOf())
  pods['shop/cart-0'] = ['192.0.2.1']
  assert.is(await look(), 0)
  path.watch.seen(arrivalOf('b.example'), replyOf(ReplySource.upstream), factsOf())
  assert.is(await look(), 1)
  path.watch.stop()
})

test('a client that nobody can be is an error, and says what names it would need', async () => {
  const error = async (isNaming: boolean) =>
    JSON.parse((await worldOf(isNaming).call('/v1/tail', 'viewer=v&client=shop/cart-9')).body).error
  assert.match(await error(true), /^client is "shop\/cart-9"; .* a pod that runs on this node/)
  assert.match(await error(false), /names of pods are known where admin\.podNames is on/)
})

const mistakes: readonly [search: string, why: RegExp][] = [
  ['', /^viewer is missing$/],
  ['viewer=', /^viewer is ""; expected a text/],
  ['viewer=v&under=a..b', /^under is "a\.\.b"; expected a domain name$/],
  ['viewer=v&type=NOTYPE', /expected a record type/],
  ['viewer=v&source=heaven', /expected one of cacheSuccess, /],
  ['viewer=v&slower=-1', /expected a number of milliseconds$/],
  ['viewer=v&rcode=NXDOMIAN', /^rcode is "NXDOMIAN"; expected a response code such as NXDOMAIN/],
  ['viewer=v&rcode=2', /^rcode is "2"; expected a response code/],
  ['viewer=v&rcode=', /^rcode is ""; expected a response code/],
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
