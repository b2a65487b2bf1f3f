/**
 * Goal: an attempt to follow ends in one of three ways and never in an exception, whatever the other end sends.
 * Method: the other end is a server whose lines and descriptors the test writes; the whole conversation is predecessor.test.ts's.
 */
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Link, type Message } from '../../src/handover/link.ts'
import { descriptorOf, listenAt } from '../../src/handover/meeting-point.ts'
import { follow, type SuccessorOptions } from '../../src/handover/successor.ts'
import { sendDescriptors } from '../../src/system/descriptor-mail.ts'
import { meetingPoint } from './pair.ts'
import { calls, closed, serving } from './service.ts'

const test = suite('handover/successor')

const ticket = 'a ticket'
const udp = { kind: 'udp', wanted: '127.0.0.1:53', number: 0 }

/** A process that serves, as the test has it. */
interface Script {
  readonly welcome?: Message
  /** What is said of the sockets. */
  readonly sockets?: unknown
  /** What is said of a program in the kernel. */
  readonly program?: unknown
  /** How many descriptors come. */
  readonly descriptors?: number
}

interface Scripted {
  readonly options: SuccessorOptions
  /** Connections that have come. */
  readonly open: readonly Socket[]
  /** What the successor says of itself. */
  readonly states: readonly unknown[]
  close(): void
}

async function scripted(script: Script): Promise<Scripted> {
  const at = meetingPoint()
  const open: Socket[] = []
  const states: unknown[] = []
  let main: Link | undefined
  const server = await listenAt(at, (socket: Socket) => {
    open.push(socket)
    const link = new Link(socket)
    link.listen(({ want, ...rest }) => {
      states.push(...Object.values(rest))
      if (want === 'sockets') {
        main = link
        if (script.welcome !== undefined) link.send(script.welcome)
      } else if (want === 'descriptors') {
        const fds = Array.from({ length: script.descriptors ?? 0 }, () => descriptorOf(socket))
        if (fds.length > 0) sendDescriptors(calls, descriptorOf(socket), fds)
        main?.send({ sockets: script.sockets, program: script.program })
      }
    })
  })
  const close = () => {
    for (const socket of open) socket.destroy()
    server.close()
  }
  return { close, open, states, options: { at, timeoutMs: 1000, calls, dumpBytesMax: 100 } }
}

async function refusalOf(script: Script): Promise<string> {
  const { close, options } = await scripted(script)
  const followed = await follow(options)
  close()
  return followed.kind === 'refused' ? followed.why : followed.kind
}

test('where nobody serves there is nobody to follow', async () => {
  const options = { at: meetingPoint(), timeoutMs: 1000, calls, dumpBytesMax: 100 }
  assert.equal(await follow(options), { kind: 'nobody' })
})

test('a process of another user is not spoken to', async () => {
  const one = await serving()
  const untold = { ...calls, getOption: () => -95 }
  const followed = await follow({ ...one.options, calls: untold })
  assert.is(followed.kind, 'refused')
  assert.match(followed.kind === 'refused' ? followed.why : '', `${one.at} is not us`)
  await one.stop()
})

test('a refusal carries the words of the serving process', async () => {
  assert.is(
    await refusalOf({ welcome: { error: 'this is version 2 of the hand-over' } }),
    'the process that serves refused: this is version 2 of the hand-over',
  )
})

test('a silent process is given up on', async () => {
  assert.is(await refusalOf({}), 'the other process said nothing for 1000 ms')
})

test('fewer descriptors than announced sockets are a refusal', async () => {
  const welcome = { ticket }
  assert.is(
    await refusalOf({ welcome, sockets: [udp, { ...udp, kind: 'tcp' }], descriptors: 1 }),
    '2 sockets were announced, 1 came',
  )
  assert.is(await refusalOf({ welcome, sockets: [udp] }), '1 sockets were announced, 0 came')
})

test('a malformed list of sockets is refused', async () => {
  const refusal = (sockets: unknown) => refusalOf({ welcome: { ticket }, sockets, descriptors: 1 })
  assert.is(await refusal(undefined), 'no list of sockets came')
  assert.is(await refusal({ length: 1 }), 'no list of sockets came')
  for (const one of [
    null,
    7,
    {},
    { ...udp, kind: 'raw' },
    { ...udp, wanted: 53 },
    { ...udp, number: '0' },
  ]) {
    assert.is(await refusal([one]), 'a socket of no kind', JSON.stringify(one))
  }
})

test('a process without sockets can be followed', async () => {
  const { close, options } = await scripted({ welcome: { ticket }, sockets: [] })
  const followed = await follow(options)
  assert.is(followed.kind, 'following')
  assert.equal(followed.kind === 'following' && followed.successor.sockets, [])
  if (followed.kind === 'following') followed.successor.abandon()
  close()
})

test('an older process says nothing of a program in the kernel, and what is no number is none', async () => {
  for (const [program, known] of [
    [undefined, undefined],
    ['7', undefined],
    [7, 7],
  ]) {
    const { close, options } = await scripted({ welcome: { ticket }, sockets: [], program })
    const followed = await follow(options)
    if (followed.kind !== 'following') throw new Error(followed.kind)
    assert.is(followed.successor.program, known)
    followed.successor.abandon()
    close()
  }
})

test('a dump that is longer than our own cache may be is not read', async () => {
  const one = await serving({
    cacheDump: async function* () {
      for (let i = 0; i < 100; i++) yield Buffer.alloc(100)
    },
  })
  const followed = await follow(one.options)
  if (followed.kind !== 'following') throw new Error(followed.kind)
  await followed.successor.cacheDump().then(
    () => assert.unreachable(),
    (error: Error) =>
      assert.match(error.message, /^it is longer than our own cache may be \(1000 \w+\)$/),
  )
  followed.successor.abandon()
  for (const { fd } of followed.successor.sockets) calls.closeDescriptor(fd)
  await one.stop()
})

test('a dump that does not come in time is none, and the hand-over goes on without', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const one = await serving({
    cacheDump: async function* () {
      await promise
      yield Buffer.from('late')
    },
  })
  const followed = await follow({ ...one.options, timeoutMs: 500 })
  if (followed.kind !== 'following') throw new Error(followed.kind)
  await followed.successor.cacheDump().then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'it came too slowly'),
  )
  resolve()
  await followed.successor.serving()
  assert.equal(one.service.asked, ['pause'])
  followed.successor.abandon()
  for (const { fd } of followed.successor.sockets) calls.closeDescriptor(fd)
  await one.stop()
})

test('a refusal after the ticket leaves nothing open: neither a connection nor the descriptors in it', async () => {
  const welcome = { ticket }
  const scripts: Script[] = [
    { welcome, sockets: [udp], descriptors: 0 },
    { welcome, sockets: 'none', descriptors: 1 },
    { welcome, sockets: [udp, udp], descriptors: 1 },
  ]
  for (const script of scripts) {
    const { close, options, open } = await scripted(script)
    const followed = await follow(options)
    assert.is(followed.kind, 'refused')
    // The other end sees both connections end.
    await Promise.all(open.map((socket) => closed(socket)))
    close()
  }
})

test('that it is still starting is said only to a process that understands it', async () => {
  for (const [welcome, isSaid] of [
    [{ ticket }, false],
    [{ ticket, startingEveryMs: 50 }, true],
    [{ ticket, startingEveryMs: '50' }, false],
    [{ ticket, startingEveryMs: 0 }, false],
  ] as const) {
    const { close, options, states } = await scripted({ welcome, sockets: [] })
    const followed = await follow(options)
    if (followed.kind !== 'following') throw new Error(followed.kind)
    followed.successor.starting()
    await new Promise((resolve) => setTimeout(resolve, 300))
    followed.successor.abandon()
    assert.is(states.includes('starting'), isSaid, JSON.stringify(welcome))
    close()
  }
})

test.run()
