/*
 * Goal: batches where this machine can do them, portable sockets where it cannot or is told so, with the reason. Method: loaders that
 * fail as machines may, and system calls that a seccomp profile refuses.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BatchedUdpEndpoint } from '../../src/listen/udp-batched.ts'
import { chooseUdpIo } from '../../src/listen/udp-io.ts'
import { PortableUdpEndpoint } from '../../src/listen/udp-portable.ts'
import { Linux } from '../../src/system/linux.ts'
import { loadSystemCalls, type SystemCalls } from '../../src/system/system-calls.ts'
import { UnsupportedPlatform } from '../../src/system/system-error.ts'
import { v4 } from './scripted-handler.ts'

const test = suite('listen/udp-io')

const options = {
  address: v4,
  serverIndex: 0,
  settings: { receiveBufferBytes: 100_000, sendQueueMax: 3 },
}

/** @param changes what the calls say in place of the kernel */
function loading(changes: Partial<SystemCalls> = {}): () => SystemCalls {
  return () => ({ ...loadSystemCalls(), ...changes })
}

function failing(error: Error): () => SystemCalls {
  return () => {
    throw error
  }
}

test('this machine reads and writes in batches', () => {
  for (const wanted of ['auto', 'batched'] as const) {
    const { mode, fallback, detail, open } = chooseUdpIo(wanted)
    assert.equal([mode, fallback, detail], ['batched', 'none', ''])
    assert.ok(open(options) instanceof BatchedUdpEndpoint)
  }
})

test('who asks for portable sockets gets them, and nothing is loaded', () => {
  const { mode, fallback, detail, open } = chooseUdpIo('portable', failing(new Error('loaded')))
  assert.equal([mode, fallback, detail], ['portable', 'configured', ''])
  assert.ok(open(options) instanceof PortableUdpEndpoint)
})

for (const missing of ['platform', 'library', 'kernel'] as const) {
  test(`without the ${missing} it is portable, and says why; asked for batches it fails`, () => {
    const load = failing(new UnsupportedPlatform(missing, `no ${missing}`))
    const { mode, fallback, detail, open } = chooseUdpIo('auto', load)
    assert.equal([mode, fallback, detail], ['portable', missing, `no ${missing}`])
    assert.ok(open(options) instanceof PortableUdpEndpoint)
    assert.throws(
      () => chooseUdpIo('batched', load),
      (error: unknown) => error instanceof UnsupportedPlatform,
    )
  })
}

test('any other failure is a defect, and not hidden', () => {
  assert.throws(() => chooseUdpIo('auto', failing(new TypeError('odd'))), /odd/)
})

const refusals: Readonly<Record<string, Partial<SystemCalls>>> = {
  recvmmsg: { receiveMessages: () => -38 },
  sendmmsg: { sendMessages: () => -1 },
}

for (const [call, changes] of Object.entries(refusals)) {
  test(`a kernel that refuses ${call} is found out before the first query, and the socket closed`, () => {
    const closed: number[] = []
    const opened: number[] = []
    const load = loading({
      ...changes,
      socket: (...args) => {
        const fd = loadSystemCalls().socket(...args)
        opened.push(fd)
        return fd
      },
      closeDescriptor: (fd) => {
        closed.push(fd)
        return loadSystemCalls().closeDescriptor(fd)
      },
    })
    const { mode, fallback, detail } = chooseUdpIo('auto', load)
    assert.equal([mode, fallback], ['portable', 'kernel'])
    assert.match(detail, /seccomp/)
    assert.equal([opened.length, closed], [1, opened])
  })
}

test('an empty socket says EAGAIN, and that is right', () => {
  const load = loading({ receiveMessages: () => -Linux.eagain, sendMessages: () => 0 })
  assert.is(chooseUdpIo('batched', load).mode, 'batched')
})

test.run()
