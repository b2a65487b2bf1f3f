// Goal: a conversation of lines ends with a reason whatever the other end sends, and no line is lost. Method: both ends of a Unix socket.
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Link, type Message } from '../../src/handover/link.ts'
import { until } from '../support/process.ts'
import { type Pair, socketPair } from './pair.ts'

const test = suite('handover/link')

async function withLink(body: (link: Link, pair: Pair) => Promise<void>): Promise<void> {
  const pair = await socketPair()
  try {
    await body(new Link(pair.near), pair)
  } finally {
    pair.close()
  }
}

/** Everything that a link tells. */
function listened(link: Link) {
  const heard: { messages: Message[]; ends: string[] } = { messages: [], ends: [] }
  link.listen(
    (message) => heard.messages.push(message),
    (why) => heard.ends.push(why),
  )
  return heard
}

test('lines are messages, in whatever pieces they come', () =>
  withLink(async (link, { far }) => {
    const heard = listened(link)
    const bytes = Buffer.from('{"a":1}\n{"b":"ä"}\n{"c":3}\n')
    for (const byte of bytes) {
      far.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until('three came', () => heard.messages.length === 3)
    assert.equal(heard, { messages: [{ a: 1 }, { b: 'ä' }, { c: 3 }], ends: [] })
  }))

test('each message is sent as one line, in order', () =>
  withLink(async (link, { far }) => {
    const other = new Link(far)
    link.send({ want: 'sockets' })
    link.send({ text: 'a\nb' })
    assert.equal(await other.next(1000), { want: 'sockets' })
    assert.equal(await other.next(1000), { text: 'a\nb' })
  }))

test('messages that arrive before anybody listens are kept in order', () =>
  withLink(async (link, { far }) => {
    far.write('{"n":1}\n{"n":2}\n{"n":3}\n')
    await once(link.socket, 'data')
    assert.equal(await link.next(1000), { n: 1 })
    assert.equal(listened(link).messages, [{ n: 2 }, { n: 3 }])
  }))

test('next() takes one message and leaves the others to the listener', () =>
  withLink(async (link, { far }) => {
    const waited = link.next(1000)
    far.write('{"n":1}\n{"n":2}\n')
    assert.equal(await waited, { n: 1 })
    const heard = listened(link)
    await until('the second came', () => heard.messages.length === 1)
    assert.equal(heard.messages, [{ n: 2 }])
  }))

test('silence ends the wait after its time, and the link can be asked again', () =>
  withLink(async (link, { far }) => {
    const startMs = performance.now()
    await link.next(50).then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, 'the other process said nothing for 50 ms'),
    )
    assert.ok(performance.now() - startMs > 45)
    far.write('{"late":true}\n')
    assert.equal(await link.next(1000), { late: true })
  }))

for (const [what, line] of [
  ['a line that is not JSON', '{"a":\n'],
  ['a line that is no object', '[1]\n'],
  ['a line that is no object', '7\n'],
  ['a line that is no object', 'null\n'],
  ['a line that is too long', 'x'.repeat(65_537)],
] as const) {
  test(`${what} ends the connection: ${JSON.stringify(line.slice(0, 8))}`, () =>
    withLink(async (link, { far }) => {
      const heard = listened(link)
      far.write(line)
      await once(far, 'close')
      assert.equal(heard, { messages: [], ends: [`the other process sent ${what}`] })
      assert.not.ok(link.isOpen)
    }))
}

test('a long line is taken up to its bound, and one that ends is no unfinished one', () =>
  withLink(async (link, { far }) => {
    const text = 'x'.repeat(65_536 - '{"a":""}'.length)
    far.write(`${JSON.stringify({ a: text })}\n`)
    assert.equal(await link.next(1000), { a: text })
  }))

test('lines behind a wrong one are not read', () =>
  withLink(async (link, { far }) => {
    const heard = listened(link)
    far.write('{"n":1}\nnonsense\n{"n":2}\n')
    await once(far, 'close')
    assert.equal([heard.messages, heard.ends.length], [[{ n: 1 }], 1])
  }))

test('more messages than anybody would send end the connection', () =>
  withLink(async (link, { far }) => {
    far.write('{}\n'.repeat(65_537))
    await once(far, 'close')
    const heard = listened(link)
    assert.equal(heard.ends, ['the other process sent more than anybody listens to'])
    assert.is(heard.messages.length, 65_536)
  }))

test('a defect in a listener ends the link, and not the process', () =>
  withLink(async (link, { far }) => {
    const ends: string[] = []
    link.listen(
      () => {
        throw new Error('a defect')
      },
      (why) => ends.push(why),
    )
    far.write('{}\n')
    await once(far, 'close')
    assert.is(ends.length, 1)
    assert.match(ends[0] ?? '', /^defect: Error: a defect\n/)
  }))

test('the end is reported once with its reason, also to a listener that comes later', () =>
  withLink(async (link, { far }) => {
    const heard = listened(link)
    far.destroy()
    await until('it has ended', () => !link.isOpen)
    const why = 'the other process has closed the connection'
    assert.equal(heard.ends, [why])
    assert.equal(listened(link).ends, [why])
    await link.next(1000).then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, why),
    )
    assert.equal(heard.ends, [why])
  }))

test('messages sent before a close still go out; later ones do not', () =>
  withLink(async (link, { far }) => {
    const pieces: Buffer[] = []
    far.on('data', (piece: Buffer) => pieces.push(piece))
    link.send({ state: 'gone' })
    link.close()
    link.send({ state: 'late' })
    await once(far, 'end')
    assert.is(Buffer.concat(pieces).toString(), '{"state":"gone"}\n')
    assert.not.ok(link.isOpen)
  }))

test.run()
