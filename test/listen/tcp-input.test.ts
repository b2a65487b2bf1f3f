/*
 * Goal: reading really stops and goes on where it stopped, and unfinished messages are accounted for. Method: an unconnected socket
 * whose stream the test looks at, and the table of connections as it is.
 */
import { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TcpConnections } from '../../src/listen/tcp-connections.ts'
import { TcpInput } from '../../src/listen/tcp-input.ts'

const test = suite('listen/tcp-input')

function inputOf(connectionsMax = 1) {
  const socket = new Socket()
  const connections = new TcpConnections({
    connectionsMax,
    connectionsPerClientMax: 9,
    unsentBytesMax: 1e6,
  })
  return { socket, connections, input: new TcpInput(socket, connections) }
}

function framed(...messages: readonly string[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => [
      Buffer.of(message.length >> 8, message.length & 0xff),
      Buffer.from(message),
    ]),
  )
}

const text = (message: Buffer | undefined) => message?.toString('latin1')

test('messages come out one by one, whatever the pieces', () => {
  const { input } = inputOf()
  input.push(framed('one', 'two').subarray(0, 7))
  assert.equal([text(input.next()), text(input.next()), input.midMessage], ['one', undefined, true])
  input.push(framed('one', 'two').subarray(7))
  assert.equal(
    [text(input.next()), text(input.next()), input.midMessage],
    ['two', undefined, false],
  )
})

test('what was not read goes back into the stream when reading stops, and comes again', () => {
  const { input, socket } = inputOf()
  input.push(framed('one', 'two', 'three'))
  input.next()
  input.stop()
  assert.equal([input.reading, socket.isPaused()], [false, true])
  assert.is(socket.readableLength, framed('two', 'three').length)
  const chunk: unknown = socket.read()
  input.resume()
  assert.equal([input.reading, socket.isPaused()], [true, false])
  input.push(chunk as Buffer)
  assert.equal([text(input.next()), text(input.next())], ['two', 'three'])
})

test('to stop twice puts nothing back twice', () => {
  const { input, socket } = inputOf()
  input.push(framed('one', 'two'))
  input.next()
  input.stop()
  input.stop()
  assert.is(socket.readableLength, framed('two').length)
})

test('with nothing left nothing goes back', () => {
  const { input, socket } = inputOf()
  input.push(framed('one'))
  input.next()
  input.stop()
  assert.is(socket.readableLength, 0)
})

test('a little rest of a large piece goes back as a copy, most of it as it is', () => {
  for (const [messages, isCopy] of [
    [['x'.repeat(500), 'rest'], true],
    [['x', 'r'.repeat(500)], false],
  ] as const) {
    const { input, socket } = inputOf()
    const piece = Buffer.from(new Uint8Array(framed(...messages)).buffer)
    input.push(piece)
    input.next()
    input.stop()
    const rest = socket.read() as Buffer
    assert.is(rest.buffer === piece.buffer, !isCopy)
    assert.equal(rest, framed(messages[1]))
  }
})

test('an unfinished message is accounted for while it is held, and not after', () => {
  const { input, connections } = inputOf()
  input.push(framed('x'.repeat(5000)).subarray(0, 5000))
  input.next()
  assert.is(input.keepUnfinished(), false, '4 KiB are free, and there is one connection')
  assert.is(connections.holdBytes(0, 4097), false)
  input.close()
  assert.is(connections.holdBytes(0, 4097), true)
})

test('a message within the allowance is kept, also when all together hold too much', () => {
  const { input, connections } = inputOf()
  connections.holdBytes(100_000, 0)
  input.push(framed('x'.repeat(4000)).subarray(0, 3000))
  input.next()
  assert.is(input.keepUnfinished(), true)
  assert.is(input.keepUnfinished(), true, 'asked again, nothing has changed')
})

test('a message that ends is not accounted for any more', () => {
  const { input, connections } = inputOf(2)
  const whole = framed('x'.repeat(8000))
  input.push(whole.subarray(0, 7000))
  input.next()
  assert.is(input.keepUnfinished(), true, 'two connections may hold 8 KiB')
  assert.is(connections.holdBytes(5000, 5000), false)
  input.push(whole.subarray(7000))
  assert.is(text(input.next())?.length, 8000)
  input.keepUnfinished()
  assert.is(connections.holdBytes(0, 5000), true)
})

test('what was read is forgotten with the connection', () => {
  const { input } = inputOf()
  input.push(framed('one', 'two'))
  input.next()
  input.close()
  assert.equal([text(input.next()), input.midMessage], [undefined, false])
})

test('64 KiB are thrown away with patience, and no more', () => {
  const { input } = inputOf()
  assert.is(input.discard(65_535), true)
  assert.is(input.discard(1), true)
  assert.is(input.discard(1), false)
})

test.run()
