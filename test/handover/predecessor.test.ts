/**
 * Goal: the process that serves gives everything in an order in which nothing can be lost, and goes on as before whatever becomes of its successor.
 * Method: the real conversation over Unix sockets in one process; the other side is the real successor, or lines written by hand.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Link } from '../../src/handover/link.ts'
import { connectTo } from '../../src/handover/meeting-point.ts'
import { protocolVersion } from '../../src/handover/predecessor.ts'
import { follow, type Successor } from '../../src/handover/successor.ts'
import { until } from '../support/process.ts'
import { openOn } from './pair.ts'
import { calls, closed, type Serving, serving } from './service.ts'

const test = suite('handover/predecessor')

async function withServing(
  body: (one: Serving) => Promise<void>,
  changes: Parameters<typeof serving>[0] = {},
): Promise<void> {
  const one = await serving(changes)
  try {
    await body(one)
  } finally {
    await one.stop()
  }
}

async function successorOf({ options }: Serving): Promise<Successor> {
  const followed = await follow(options)
  if (followed.kind !== 'following') throw new Error(JSON.stringify(followed))
  return followed.successor
}

function closeSockets({ sockets }: Successor): void {
  for (const { fd } of sockets) calls.closeDescriptor(fd)
}

/** A successor that says what the test writes. */
async function linkTo(at: string): Promise<Link> {
  const socket = await connectTo(at)
  if (socket === undefined) throw new Error('nobody listens')
  return new Link(socket)
}

const nothing = () => undefined

test('sockets, cache, pause and release come when asked for, and the sockets are the very same ones', () =>
  withServing(async (one) => {
    const { service, held, events, predecessor } = one
    const successor = await successorOf(one)
    assert.not.ok(successor.isWaitedFor)
    assert.equal(
      successor.sockets.map(({ kind, wanted, number, fd }) => [kind, wanted, number, openOn(fd)]),
      held.all.map(({ kind, wanted, number, fd }) => [kind, wanted, number, openOn(fd)]),
    )
    assert.is(successor.program, 77)
    assert.is((await successor.cacheDump()).toString(), 'a dump in pieces')
    assert.equal(service.asked, [], 'both could read now')
    await successor.serving()
    assert.equal(service.asked, ['pause'])
    const idle = predecessor.idle()
    let why = ''
    await successor.done(undefined, (text) => {
      why = text
    })
    await idle
    assert.equal(service.asked, ['pause', 'retire'])
    assert.equal(events, ['started', 'handed-over'])
    await until('it is gone', () => why !== '')
    assert.not.ok(successor.isWaitedFor, 'it has gone')
    closeSockets(successor)
  }))

test('the meeting point is free as soon as it has released, though it is still busy with its clients', () =>
  withServing(async (one) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    one.service.retired = promise
    const successor = await successorOf(one)
    await successor.serving()
    await successor.done(undefined, nothing)
    const next = await serving({ at: one.at })
    await next.stop()
    resolve()
    closeSockets(successor)
  }))

test('a successor that goes before it is done has changed nothing', () =>
  withServing(async (one) => {
    const { service, events, predecessor } = one
    const early = await successorOf(one)
    early.abandon()
    closeSockets(early)
    await predecessor.idle()
    assert.equal(service.asked, [], 'it had not read yet, so we had not stopped')
    const late = await successorOf(one)
    await late.serving()
    late.abandon()
    closeSockets(late)
    await predecessor.idle()
    assert.equal(service.asked, ['pause', 'resumeReceiving'])
    const why = 'the other process has closed the connection'
    assert.equal(events, ['started', `given-up: ${why}`, 'started', `given-up: ${why}`])
  }))

test('one successor is served at a time', () =>
  withServing(async (one) => {
    const first = await successorOf(one)
    const second = await follow(one.options)
    assert.equal(second, {
      kind: 'refused',
      why: 'the process that serves refused: another successor is being served',
    })
    await first.serving()
    assert.equal(one.service.asked, ['pause'])
    closeSockets(first)
    first.abandon()
  }))

test('a successor that falls silent is given up on', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      await successor.serving()
      await one.predecessor.idle()
      assert.equal(one.service.asked, ['pause', 'resumeReceiving'])
      assert.is(one.events[1], 'given-up: it said nothing for 500 ms')
      closeSockets(successor)
      successor.abandon()
    },
    { timeoutMs: 500 },
  ))

test('a message out of turn ends the hand-over', () =>
  withServing(async (one) => {
    for (const state of ['done', 'nonsense', undefined]) {
      const link = await linkTo(one.at)
      link.send({ neardns: protocolVersion, want: 'sockets' })
      await link.next(2000)
      link.send({ state })
      await closed(link.socket)
      await one.predecessor.idle()
      assert.is(one.events.at(-1), `given-up: it said ${JSON.stringify(state)} out of turn`)
    }
    assert.equal(one.service.asked, [])
  }))

test('another version is told which one this is, and gets nothing', () =>
  withServing(async (one) => {
    for (const neardns of [protocolVersion + 1, undefined]) {
      const link = await linkTo(one.at)
      link.send({ neardns, want: 'sockets' })
      assert.equal(await link.next(2000), {
        error: `this is version ${protocolVersion} of the hand-over`,
      })
      await closed(link.socket)
    }
    assert.equal(one.events, [])
  }))

test('a want that nobody knows closes the connection', () =>
  withServing(async (one) => {
    const link = await linkTo(one.at)
    link.send({ neardns: protocolVersion, want: 'everything' })
    await closed(link.socket)
    assert.equal(one.events, [])
  }))

test('descriptors are for the bearer of the ticket', () =>
  withServing(async (one) => {
    const want = { neardns: protocolVersion, want: 'descriptors' }
    const early = await linkTo(one.at)
    early.send({ ...want, ticket: undefined })
    await closed(early.socket)
    const link = await linkTo(one.at)
    link.send({ neardns: protocolVersion, want: 'sockets' })
    await link.next(2000)
    const wrong = await linkTo(one.at)
    wrong.send({ ...want, ticket: 'guessed' })
    await closed(wrong.socket)
    assert.equal([early.socket.bytesRead, wrong.socket.bytesRead], [0, 0])
    link.socket.destroy()
  }))

test('a process of another user gets nothing', () => {
  const told = {
    ...calls,
    getOption: (...[, , , into]: Parameters<typeof calls.getOption>) => {
      new DataView(into.buffer, into.byteOffset).setUint32(4, 4_294_967_294, true)
      return 0
    },
  }
  return withServing(
    async (one) => {
      const link = await linkTo(one.at)
      link.send({ neardns: protocolVersion, want: 'sockets' })
      await closed(link.socket)
      assert.is(link.socket.bytesRead, 0)
      assert.match(one.events.join(), 'stranger: it belongs to user 4294967294')
    },
    { calls: told },
  )
})

/** A client of a server in this process, at both of its ends. */
async function client(): Promise<{ far: Socket; near: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const accepted = once(server, 'connection')
  const far = connect(typeof bound === 'object' && bound !== null ? bound.port : 0, '127.0.0.1')
  const [near]: Socket[] = await accepted
  server.close()
  if (near === undefined) throw new Error('no connection')
  near.pause()
  return { far, near }
}

test("clients' connections follow under the name of their server, and their next question is answered there", () =>
  withServing(async (one) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    one.service.retired = promise
    const successor = await successorOf(one)
    await successor.serving()
    const received: string[] = []
    await successor.done((server, socket) => {
      received.push(server)
      let question = ''
      socket.on('data', (piece) => {
        question += piece.toString()
      })
      // A client that has said all and waits: its half-open connection must not be closed.
      socket.on('end', () => socket.end(`answer to ${question}`))
    }, nothing)
    const { far, near } = await client()
    await until('it retires', () => one.service.give !== undefined)
    assert.is(one.service.give?.('127.0.0.1:53', near), true)
    near.destroy()
    far.end('a question')
    const [answer] = await once(far, 'data')
    assert.is(String(answer), 'answer to a question')
    assert.equal(received, ['127.0.0.1:53'])
    far.destroy()
    resolve()
    closeSockets(successor)
  }))

test('a connection that cannot be sent stays ours and may be tried again', () =>
  withServing(async (one) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    one.service.retired = promise
    const successor = await successorOf(one)
    await successor.serving()
    await successor.done(nothing, nothing)
    await until('it retires', () => one.service.give !== undefined)
    const { far, near } = await client()
    near.destroy()
    await closed(near)
    assert.is(one.service.give?.('127.0.0.1:53', near), false, 'it has no descriptor')
    successor.abandon()
    const other = await client()
    await until('the successor has gone', () => one.service.give?.('x', other.near) === false)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.is(one.service.give?.('x', other.near), false)
    for (const socket of [far, other.far, other.near]) socket.destroy()
    resolve()
    closeSockets(successor)
  }))

test('a successor that takes no connections leaves them to us', () =>
  withServing(async (one) => {
    const successor = await successorOf(one)
    await successor.serving()
    await successor.done(undefined, nothing)
    await until('it retires', () => one.service.asked.includes('retire'))
    assert.is(one.service.give, undefined)
    closeSockets(successor)
  }))

test('a waiting predecessor serves again when its successor ends and nobody has followed it', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      await successor.serving()
      await successor.done(undefined, nothing)
      await until('it waits', () => successor.isWaitedFor)
      assert.not.ok(one.service.asked.includes('resume'))
      successor.abandon()
      await until('it serves again', () => one.service.asked.includes('resume'))
      closeSockets(successor)
    },
    { waits: true },
  ))

test('a waiting predecessor watches the third process once that has followed the second', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      await successor.serving()
      await successor.done(undefined, nothing)
      await until('it waits', () => successor.isWaitedFor)
      const third = await serving({ at: one.at })
      successor.abandon()
      closeSockets(successor)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.not.ok(one.service.asked.includes('resume'), 'somebody serves')
      await third.stop()
      await until('it serves again', () => one.service.asked.includes('resume'))
    },
    { waits: true },
  ))

test('a predecessor that was stopped while waiting does not serve again', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      await successor.serving()
      await successor.done(undefined, nothing)
      await until('it waits', () => successor.isWaitedFor)
      await one.predecessor.stop()
      successor.abandon()
      closeSockets(successor)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.not.ok(one.service.asked.includes('resume'))
    },
    { waits: true },
  ))

test('a failed cache dump is reported and costs only the cache', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      const dump = await successor.cacheDump().catch(() => Buffer.alloc(0))
      assert.is.not(dump.toString(), 'a dump in pieces')
      assert.equal(one.events, ['started', 'failed: cache: Error: no memory'])
      await successor.serving()
      successor.abandon()
      closeSockets(successor)
    },
    {
      cacheDump: async function* () {
        yield Buffer.from('a dump ')
        throw new Error('no memory')
      },
    },
  ))

test('a dump larger than a socket buffer arrives whole', () => {
  const piece = Buffer.alloc(65_536, 7)
  return withServing(
    async (one) => {
      const options = { ...one.options, dumpBytesMax: 100 * piece.length }
      const followed = await follow(options)
      if (followed.kind !== 'following') throw new Error(followed.kind)
      const dump = await followed.successor.cacheDump()
      assert.is(dump.length, 60 * piece.length)
      followed.successor.abandon()
      closeSockets(followed.successor)
    },
    {
      cacheDump: async function* () {
        for (let i = 0; i < 60; i++) yield piece
      },
    },
  )
})

test('an idle predecessor reports so at once, and a stopped one cannot be found', async () => {
  const one = await serving()
  await one.predecessor.idle()
  await one.stop()
  assert.equal(await follow(one.options), { kind: 'nobody' })
})

test('a successor that says that it is still starting is waited for, six times as long', () =>
  withServing(
    async (one) => {
      const startMs = performance.now()
      const successor = await successorOf(one)
      successor.starting()
      await new Promise((resolve) => setTimeout(resolve, 900))
      assert.equal(one.events, ['started'], 'three times its time-out')
      await one.predecessor.idle()
      assert.ok(performance.now() - startMs >= 1500, 'five to six times')
      assert.equal(one.events.slice(1), ['given-up: it said nothing for 300 ms'])
      closeSockets(successor)
      successor.abandon()
    },
    { timeoutMs: 300 },
  ))

test('once a successor serves, its start is over: it is given up on when it falls silent', () =>
  withServing(
    async (one) => {
      const successor = await successorOf(one)
      successor.starting()
      await new Promise((resolve) => setTimeout(resolve, 500))
      await successor.serving()
      await one.predecessor.idle()
      assert.equal(one.service.asked, ['pause', 'resumeReceiving'])
      closeSockets(successor)
      successor.abandon()
    },
    { timeoutMs: 300 },
  ))

test.run()
