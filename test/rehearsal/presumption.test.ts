// Goal: what no pod asked is presumed as CoreDNS would say it. Method: walks of pods along their search lists, and the questions by which the search path learns.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Presumption } from '../../src/rehearsal/presumption.ts'
import { wireName } from '../../src/wire/name.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { talk } from './support.ts'

const test = suite('rehearsal/presumption')

const zone = 'cluster.local'

/** @param answered names that the pods asked for; with a `+` they have data */
function after(...answered: readonly string[]) {
  const presumption = new Presumption(wireName(zone))
  for (const one of answered) {
    const [name = '', data] = one.split('+')
    const records =
      data === undefined ? { rcode: 3, isDenial: true, ttl: 5 } : { addresses: ['10.0.0.1'] }
    presumption.note(talk(name, 'A', records))
  }
  return (name: string) => {
    const query = writeQuery(name, 'A')
    const reply = presumption.replyTo(query, query.length)
    return reply && readMessage(reply)
  }
}

const walk = ['com.team-a.svc', 'com.svc', 'com'].map((end) => `www.ksyun.${end}.${zone}`)

test('a name below which nothing was found does not exist', () => {
  const ask = after(...walk)
  for (const name of ['com.team-a.svc', 'com.svc', 'com']) {
    const reply = ask(`${name}.${zone}`)
    assert.equal([reply?.rcode, reply?.aa, reply?.authorities.length], [3, true, 1])
  }
  assert.is(ask(`com.${zone}`)?.authorities[0]?.ttl, 5)
})

test('a namespace of a search list exists, and so does what is above a name with data', () => {
  const ask = after(...walk, `redis.shop.svc.${zone}+`)
  const exists = ['team-a.svc', 'shop.svc', 'redis.shop.svc', 'svc', 'pod']
  assert.equal(
    exists.map((name) => ask(`${name}.${zone}`)?.rcode),
    [0, 0, 0, 0, 0],
  )
})

test('the walks of different clients do not make a namespace', () => {
  const presumption = new Presumption(wireName(zone))
  const denial = { rcode: 3, isDenial: true }
  presumption.note(talk(`a.b.svc.${zone}`, 'A', { ...denial, client: '10.77.0.2' }))
  presumption.note(talk(`a.svc.${zone}`, 'A', { ...denial, client: '10.77.0.3' }))
  const query = writeQuery(`b.svc.${zone}`, 'A')
  const reply = presumption.replyTo(query, query.length)
  assert.is(reply && readMessage(reply).rcode, 3)
})

test('nothing is presumed of names outside, nor before the cluster has denied anything', () => {
  assert.is(after(...walk)('www.example.com'), undefined)
  assert.is(after(`redis.shop.svc.${zone}+`)(`com.${zone}`), undefined)
})

test.run()
