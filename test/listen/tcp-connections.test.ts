/*
 * Goal: no cap is passed, a flood of silent connections displaces itself, and nobody with a query in flight is closed but for a client
 * that has less. Method: members that note their eviction, and random ones beside a list.
 */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Evictable, TcpConnections } from '../../src/listen/tcp-connections.ts'

const test = suite('listen/tcp-connections')

class Member implements Evictable {
  readonly client: string
  readonly name: string
  hasAsked = false
  isBusy = false
  private readonly table: Table

  constructor(table: Table, name: string, client: string) {
    this.table = table
    this.name = name
    this.client = client
  }

  evict(): void {
    if (this.isBusy)
      assert.ok(this.table.countOf(this.client) >= this.table.countOf(this.table.newcomer) + 2)
    this.table.evicted.push(this.name)
    this.leave()
  }

  leave(): void {
    this.table.members.delete(this)
    this.table.connections.leave(this)
  }

  idle(): this {
    this.hasAsked = true
    this.isBusy = false
    this.table.connections.markIdle(this)
    return this
  }

  busy(): this {
    this.hasAsked = true
    this.isBusy = true
    this.table.connections.markBusy(this)
    return this
  }
}

class Table {
  readonly evicted: string[] = []
  readonly members = new Set<Member>()
  newcomer = ''
  readonly connections: TcpConnections

  constructor(connectionsMax: number, connectionsPerClientMax: number) {
    this.connections = new TcpConnections({
      ...{ connectionsMax, connectionsPerClientMax },
      unsentBytesMax: 1e6,
    })
  }

  /** @returns undefined when it was turned away */
  join(name: string, client = 'a'): Member | undefined {
    this.newcomer = client
    if (this.connections.makeRoom(client) !== 'admitted') return undefined
    const member = new Member(this, name, client)
    this.members.add(member)
    this.connections.join(member)
    return member
  }

  countOf(client: string): number {
    return [...this.members].filter((member) => member.client === client).length
  }
}

test('there is room up to the cap', () => {
  const table = new Table(3, 3)
  for (const name of ['1', '2', '3']) table.join(name)
  assert.equal([table.connections.open, table.evicted], [3, []])
})

test('at the cap the one that has been silent longest makes room', () => {
  const table = new Table(2, 9)
  table.join('1')
  table.join('2')
  table.join('3')
  assert.equal([table.connections.open, table.evicted], [2, ['1']])
})

test('those that never asked go before those that fell idle, however long ago', () => {
  const table = new Table(3, 9)
  table.join('idle longest')?.idle()
  table.join('idle')?.idle()
  table.join('silent')
  table.join('new')?.busy()
  assert.equal(table.evicted, ['silent'])
  table.join('newer')
  assert.equal(table.evicted, ['silent', 'idle longest'])
})

test('who falls idle again is the latest to have done so', () => {
  const table = new Table(2, 9)
  const first = table.join('first')?.idle()
  table.join('second')?.idle()
  first?.busy()
  first?.idle()
  table.join('third')?.idle()
  assert.equal(table.evicted, ['second'])
  first?.idle()
  table.join('fourth')
  assert.equal(table.evicted, ['second', 'third'], 'a reply was written')
})

test('a connection that asked nothing stays among the silent when it is marked idle', () => {
  const table = new Table(2, 9)
  const silent = table.join('silent')
  table.join('idle')?.idle()
  if (silent !== undefined) table.connections.markIdle(silent)
  table.join('new')
  assert.equal(table.evicted, ['silent'])
})

test('when all have a query in flight the newcomer is turned away', () => {
  const table = new Table(2, 9)
  table.join('1')?.busy()
  table.join('2', 'b')?.busy()
  assert.is(table.connections.makeRoom('c'), 'full')
  assert.equal([table.connections.open, table.evicted], [2, []])
})

test('when all have a query in flight, who has two less than the greediest gets one of its', () => {
  const table = new Table(5, 9)
  for (const name of ['a1', 'a2', 'a3']) table.join(name, 'a')?.busy()
  for (const name of ['b1', 'b2']) table.join(name, 'b')?.busy()
  assert.is(table.join('a4', 'a'), undefined)
  assert.is(table.join('b3', 'b'), undefined, 'they would only change places')
  table.join('c1', 'c')?.busy()
  assert.equal(table.evicted, ['a1'])
  table.join('c2', 'c')
  assert.equal(table.evicted, ['a1'], 'of two, two and one none has too many')
  assert.is(table.countOf('c'), 1)
})

test('a client with more than an equal part makes room from its own', () => {
  const table = new Table(4, 9)
  table.join('b1', 'b')?.idle()
  for (const name of ['a1', 'a2', 'a3', 'a4']) table.join(name, 'a')?.idle()
  assert.equal(table.evicted, ['a1'])
})

test('a client at its own cap displaces itself and nobody else', () => {
  const table = new Table(9, 2)
  table.join('other', 'b')
  table.join('1', 'a')?.idle()
  table.join('2', 'a')
  table.join('3', 'a')
  assert.equal(table.evicted, ['2'])
  table.join('4', 'a')?.busy()
  assert.equal(table.evicted, ['2', '3'])
  table.join('5', 'a')
  assert.equal(table.evicted, ['2', '3', '1'])
})

test('a client whose connections are all busy is told so, while others have room', () => {
  const table = new Table(9, 2)
  table.join('1')?.busy()
  table.join('2')?.busy()
  assert.is(table.connections.makeRoom('a'), 'client-full')
  assert.is(table.connections.makeRoom('b'), 'admitted')
})

test('a client that made its own room does not take that of another as well', () => {
  const table = new Table(2, 1)
  table.join('a1', 'a')
  table.join('b1', 'b')
  table.join('b2', 'b')
  assert.equal(table.evicted, ['b1'])
})

test('who leaves is counted no more, for the client as well', () => {
  const table = new Table(9, 1)
  table.join('1')?.busy()
  for (const member of [...table.members]) member.leave()
  assert.equal([table.connections.open, table.connections.makeRoom('a')], [0, 'admitted'])
  assert.equal(table.evicted, [])
})

test('4 KiB for a message in pieces are always granted, more while all together hold no more than that each', () => {
  const { connections } = new Table(2, 9)
  assert.is(connections.holdBytes(4096, 4096), true)
  assert.is(connections.holdBytes(4096, 4096), true)
  assert.is(connections.holdBytes(4096, 4096), true, 'above the sum, but within what is free')
  assert.is(connections.holdBytes(1, 4097), false)
  assert.is(connections.holdBytes(-8192, 512), true)
  assert.is(connections.holdBytes(4095, 4607), true, '8192 in all')
  assert.is(connections.holdBytes(1, 4608), false)
})

interface Step {
  readonly what: 'join' | 'idle' | 'busy' | 'leave'
  readonly client: string
  readonly at: number
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('join', 'join', 'idle', 'busy', 'leave'),
    client: fc.constantFrom('a', 'b', 'c'),
    at: fc.nat(20),
  }),
  { maxLength: 200, size: 'max' },
)

function play(table: Table, { what, client, at }: Step): void {
  if (what === 'join') {
    table.join(`${table.evicted.length}`, client)
    return
  }
  const member = [...table.members][at % Math.max(1, table.members.size)]
  member?.[what]()
}

test('whatever comes, falls idle and goes, no cap is passed and nobody busy is closed', () => {
  let evicted = 0
  fc.assert(
    fc.property(steps, (all) => {
      const table = new Table(6, 3)
      for (const step of all) {
        play(table, step)
        assert.is(table.connections.open, table.members.size)
        assert.ok(table.members.size <= 6)
        for (const client of ['a', 'b', 'c'])
          assert.ok([...table.members].filter((member) => member.client === client).length <= 3)
      }
      evicted += table.evicted.length
    }),
    { numRuns: 200 },
  )
  assert.ok(evicted > 200, `${evicted}`)
})

test.run()
