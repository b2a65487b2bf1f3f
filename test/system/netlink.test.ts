/**
 * Goal: what the kernel says to a request is told as it is, in any number of datagrams, and a dump that a change has torn is read again.
 * Method: a kernel of the test's own behind the system calls: replies are bytes as netlink(7) has them. The real one has nftables.test.ts.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Linux } from '../../src/system/linux.ts'
import {
  type KernelMessage,
  MessageFlag,
  messageHeaderBytes,
  NetlinkSocket,
} from '../../src/system/netlink.ts'
import { loadSystemCalls, type SystemCalls } from '../../src/system/system-calls.ts'

const test = suite('system/netlink')

const [error, done] = [2, 3]
const eperm = 1
const enoent = 2

function message(type: number, body: Buffer | string = '', flags = 0): Buffer {
  const bytes = Buffer.from(body)
  const made = Buffer.alloc((messageHeaderBytes + bytes.length + 3) & ~3)
  made.writeUInt32LE(messageHeaderBytes + bytes.length)
  made.writeUInt16LE(type, 4)
  made.writeUInt16LE(flags, 6)
  made.set(bytes, messageHeaderBytes)
  return made
}

/** The number, the header of the request, and with `text` what the kernel says beside it. */
function acknowledgement(errno = 0, text?: string): Buffer {
  const number = Buffer.alloc(4)
  number.writeInt32LE(-errno)
  const head = Buffer.alloc(messageHeaderBytes)
  if (text === undefined) return message(error, Buffer.concat([number, head]))
  const attribute = Buffer.alloc((4 + text.length + 1 + 3) & ~3)
  attribute.writeUInt16LE(4 + text.length + 1)
  attribute.writeUInt16LE(1, 2)
  attribute.write(text, 4)
  // NLMSGERR_ATTR_OFFS stands before it.
  const offset = Buffer.from([8, 0, 2, 0, 20, 0, 0, 0])
  return message(error, Buffer.concat([number, head, offset, attribute]), MessageFlag.ackHasText)
}

interface Kernel {
  readonly calls: SystemCalls
  /** Datagrams that were sent. */
  readonly sent: Buffer[]
  readonly closed: number[]
  /** What can be received now. */
  readonly queue: (Buffer | number)[]
}

/** @param replies to each datagram that is sent: datagrams, or -errno of a receive */
function kernel(
  replies: (sent: number) => readonly (Buffer | number)[],
  changes: Partial<SystemCalls> = {},
): Kernel {
  const sent: Buffer[] = []
  const closed: number[] = []
  const queue: (Buffer | number)[] = []
  const calls: SystemCalls = {
    ...loadSystemCalls(),
    socket: () => 1_000_000,
    setOption: () => 0,
    sendElsewhere: async (_fd, data) => {
      sent.push(Buffer.from(data))
      queue.push(...replies(sent.length))
      return data.length
    },
    receive: (_fd, into) => {
      const next = queue.shift() ?? -Linux.eagain
      if (typeof next === 'number') return next
      into.set(next)
      return next.length
    },
    closeDescriptor: (fd) => {
      closed.push(fd)
      return 0
    },
    ...changes,
  }
  return { calls, sent, closed, queue }
}

/** Texts of the messages that come, copied as the caller has to. */
function collector() {
  const texts: string[] = []
  return { texts, take: ({ body }: KernelMessage) => void texts.push(body.toString('latin1')) }
}

test('an acknowledgement of number 0 is success; messages before it are handed on', async () => {
  const { calls } = kernel(() => [
    Buffer.concat([message(0xa00, 'one'), message(0xa00, 'three')]),
    acknowledgement(),
  ])
  const { texts, take } = collector()
  assert.equal(await new NetlinkSocket(calls).request([message(0xa10)], take), { ok: true })
  assert.equal(texts, ['one', 'three'])
})

test("a failure has the name of errno and the kernel's text", async () => {
  const result = async (...replies: readonly Buffer[]) =>
    await new NetlinkSocket(kernel(() => replies).calls).request([message(0xa00)])
  assert.equal(await result(acknowledgement(eperm)), { ok: false, code: 'EPERM', why: 'EPERM' })
  assert.equal(await result(acknowledgement(enoent, 'chain not found')), {
    ok: false,
    code: 'ENOENT',
    why: 'ENOENT: chain not found',
  })
})

test('of a batch the first failure counts, wherever it stands', async () => {
  const replies = [acknowledgement(), acknowledgement(enoent), acknowledgement(eperm)]
  const { calls } = kernel(() => [Buffer.concat(replies.slice(0, 2)), ...replies.slice(2)])
  const result = await new NetlinkSocket(calls).request([message(0xa00), message(0xa02)])
  assert.is(!result.ok && result.code, 'ENOENT')
})

test('a batch is one datagram whose messages have numbers of their own, growing over requests', async () => {
  const { calls, sent } = kernel(() => [acknowledgement()])
  const socket = new NetlinkSocket(calls)
  await socket.request([message(0x10), message(0xa00), message(0x11)])
  await socket.request([message(0xa10)])
  const numbers = sent.map((datagram) =>
    Array.from({ length: datagram.length / messageHeaderBytes }, (_, i) =>
      datagram.readUInt32LE(i * messageHeaderBytes + 8),
    ),
  )
  assert.equal(numbers, [[1, 2, 3], [4]])
})

test('a datagram that cannot be sent, and one that cannot be received, are failures with their number', async () => {
  const unsent = kernel(() => [], { sendElsewhere: async () => -eperm })
  const result = await new NetlinkSocket(unsent.calls).request([message(0xa00)])
  assert.is(!result.ok && result.code, 'EPERM')
  const [enobufs] = [105]
  const full = await new NetlinkSocket(kernel(() => [-enobufs]).calls).request([message(0xa00)])
  assert.is(!full.ok && full.code, 'ENOBUFS')
  const late = kernel(() => [acknowledgement(eperm), -enobufs])
  const first = await new NetlinkSocket(late.calls).request([message(0xa00)])
  assert.is(!first.ok && first.code, 'EPERM', 'what the kernel said came first')
})

test('leftovers of an earlier request are not taken for this reply', async () => {
  const { calls, queue } = kernel(() => [acknowledgement()])
  queue.push(acknowledgement(eperm), message(0xa00, 'late'))
  const { texts, take } = collector()
  assert.equal(await new NetlinkSocket(calls).request([message(0xa00)], take), { ok: true })
  assert.equal(texts, [])
})

test('messages that are cut, too short or longer than their datagram end its reading', async () => {
  const long = message(0xa00, 'four')
  long.writeUInt32LE(4000)
  const short = message(0xa00, 'four')
  short.writeUInt32LE(8)
  for (const wrong of [long, short, Buffer.alloc(messageHeaderBytes - 1)]) {
    const { calls } = kernel(() => [Buffer.concat([message(0xa00, 'kept'), wrong])])
    const { texts, take } = collector()
    await new NetlinkSocket(calls).request([message(0xa00)], take)
    assert.equal(texts, ['kept'])
  }
})

test('a dump is read over its datagrams to its end, and the event loop has its turn between two', async () => {
  let turns = 0
  const counting = setInterval(() => undefined, 1)
  const ticking = () => {
    turns += 1
    immediate = setImmediate(ticking)
  }
  let immediate = setImmediate(ticking)
  const parts = ['a', 'b', 'c'].map((text) => message(0xa06, text, MessageFlag.multi))
  const { calls } = kernel(() => [...parts, message(done, Buffer.alloc(4))])
  const { texts, take } = collector()
  assert.equal(await new NetlinkSocket(calls).dump(message(0xa07), () => take), { ok: true })
  clearImmediate(immediate)
  clearInterval(counting)
  assert.equal(texts, ['a', 'b', 'c'])
  assert.ok(turns >= 3, `${turns} turns`)
})

test('an interrupted dump is read again from the start', async () => {
  const torn = [message(0xa06, 'old', MessageFlag.dumpInterrupted), message(done)]
  const { calls, sent } = kernel((n) => (n < 3 ? torn : [message(0xa06, 'new'), message(done)]))
  let texts: string[] = []
  const result = await new NetlinkSocket(calls).dump(message(0xa07), () => {
    texts = []
    return ({ body }) => texts.push(body.toString('latin1'))
  })
  assert.equal([result, sent.length, texts], [{ ok: true }, 3, ['new']])
})

test('a dump that is interrupted five times is taken as it is', async () => {
  const torn = [message(0xa06, 'x'), message(done, '', MessageFlag.dumpInterrupted)]
  const { calls, sent } = kernel(() => torn)
  const result = await new NetlinkSocket(calls).dump(message(0xa07), () => () => undefined)
  assert.equal([result, sent.length], [{ ok: true }, 5])
})

test('a dump that the kernel refuses is a failure, and is not tried again', async () => {
  const { calls, sent } = kernel(() => [acknowledgement(enoent)])
  const result = await new NetlinkSocket(calls).dump(message(0xa07), () => () => undefined)
  assert.equal([!result.ok && result.code, sent.length], ['ENOENT', 1])
  const overrun = kernel(() => [message(0xa06, 'x'), -105])
  const lost = await new NetlinkSocket(overrun.calls).dump(message(0xa07), () => () => undefined)
  assert.is(!lost.ok && lost.code, 'ENOBUFS')
})

test('requests are made one after another, and one that throws does not stop the next', async () => {
  const open: string[] = []
  const { calls } = kernel(() => [message(0xa00, 'x'), acknowledgement()])
  const { sendElsewhere } = calls
  calls.sendElsewhere = async (fd, data) => {
    open.push('sent')
    await new Promise((resolve) => setImmediate(resolve))
    return await sendElsewhere(fd, data)
  }
  const socket = new NetlinkSocket(calls)
  const defect = socket.request([message(0xa00)], () => {
    throw new Error('a defect')
  })
  const next = socket.request([message(0xa00)], () => void open.push('second answer'))
  await defect.then(
    () => assert.unreachable(),
    (thrown: Error) => assert.is(thrown.message, 'a defect'),
  )
  assert.equal(await next, { ok: true })
  assert.equal(open, ['sent', 'sent', 'second answer'])
})

test('a request under way is finished before the socket closes, which it does once; later ones fail', async () => {
  const { calls, closed } = kernel(() => [acknowledgement()])
  const socket = new NetlinkSocket(calls)
  const under = socket.request([message(0xa00)])
  const closing = socket.close()
  const late = socket.request([message(0xa00)])
  assert.equal(await under, { ok: true })
  await closing
  await socket.close()
  assert.equal(closed, [1_000_000])
  assert.equal(await late, { ok: false, code: 'EBADF', why: 'EBADF: the socket is closed' })
})

test('a kernel that refuses the socket is an error with its name', () => {
  const { calls } = kernel(() => [], { socket: () => -93 })
  assert.throws(() => new NetlinkSocket(calls), /EPROTONOSUPPORT/)
})

test.run()
