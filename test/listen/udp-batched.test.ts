/*
 * Goal: the batched endpoint keeps the contract, and what is particular to batches and to sockets of our own is under control.
 * Method: the contract suite, real sockets, and system calls of which the test makes some fail.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BatchedUdpEndpoint } from '../../src/listen/udp-batched.ts'
import type { UdpEndpointOptions } from '../../src/listen/udp-endpoint.ts'
import { Linux } from '../../src/system/linux.ts'
import { batchSlots } from '../../src/system/message-batch.ts'
import { loadSystemCalls, type SystemCalls } from '../../src/system/system-calls.ts'
import { udpEndpointContract } from '../contract/udp-endpoint.ts'
import { UdpClient } from '../support/client/dns-client.ts'
import { until } from '../support/process.ts'
import { ask, idOf, ScriptedHandler, v4 } from './scripted-handler.ts'

const enobufs = 105
const settings = { receiveBufferBytes: 100_000, sendQueueMax: 3 }

udpEndpointContract(
  'BatchedUdpEndpoint',
  (options) => new BatchedUdpEndpoint(options, loadSystemCalls()),
)

const batched = suite('listen/udp-batched')

/** The system's calls, but sending gives what the test says for as long as it says anything. */
class Unwilling implements Pick<SystemCalls, 'sendMessages'> {
  readonly calls: SystemCalls = { ...loadSystemCalls(), sendMessages: this.sendMessages.bind(this) }
  /** For each call: the result, or how many of the messages may really be sent. */
  readonly script: ({ readonly fails: number } | { readonly sends: number })[] = []
  attempts = 0

  sendMessages(fd: number, headers: Uint8Array, count: number): number {
    const step = this.script[Math.min(this.attempts, this.script.length - 1)]
    this.attempts += 1
    if (step === undefined) return loadSystemCalls().sendMessages(fd, headers, count)
    if ('fails' in step) return -step.fails
    return loadSystemCalls().sendMessages(fd, headers, Math.min(count, step.sends))
  }
}

interface Rig {
  readonly endpoint: BatchedUdpEndpoint
  readonly handler: ScriptedHandler
  readonly client: UdpClient
}

async function withEndpoint(
  calls: SystemCalls,
  body: (rig: Rig) => Promise<void>,
  options: Partial<UdpEndpointOptions> = {},
): Promise<void> {
  const endpoint = new BatchedUdpEndpoint(
    { address: v4, serverIndex: 0, settings, ...options },
    calls,
  )
  const handler = new ScriptedHandler()
  await endpoint.start(handler)
  const { family, port } = endpoint.address
  const host = family === 6 ? '::1' : '127.0.0.1'
  const client = await UdpClient.open({ host, port })
  try {
    await body({ endpoint, handler, client })
  } finally {
    await client.close()
    await endpoint.stop()
  }
}

/** Ids of the replies that come until none comes for a while. */
async function repliesTo(client: UdpClient, expected: number): Promise<Set<number | undefined>> {
  const ids = new Set<number | undefined>()
  while (ids.size < expected) ids.add(idOf(await client.next()))
  return ids
}

batched('replies that the kernel has no room for are sent when it has, in order', async () => {
  const unwilling = new Unwilling()
  unwilling.script.push({ fails: Linux.eagain }, { sends: 1 }, { sends: batchSlots })
  await withEndpoint(unwilling.calls, async ({ client, endpoint }) => {
    for (const id of [1, 2, 3]) client.send(ask(id, 'echo'))
    assert.equal([...(await repliesTo(client, 3))], [1, 2, 3])
    assert.is(endpoint.stats.sent, 3)
    assert.is(endpoint.stats.queueDrops, 0)
  })
})

batched('above sendQueueMax replies are dropped and counted, and it recovers', async () => {
  const unwilling = new Unwilling()
  unwilling.script.push({ fails: Linux.eagain })
  await withEndpoint(unwilling.calls, async ({ client, endpoint }) => {
    for (let id = 1; id <= 5; id += 1) client.send(ask(id, 'echo'))
    await until('2 dropped', () => endpoint.stats.queueDrops === 2)
    unwilling.script.splice(0)
    assert.is((await repliesTo(client, 3)).size, 3)
    client.send(ask(6, 'echo'))
    assert.is(idOf(await client.next()), 6)
    assert.is(endpoint.stats.queueDrops, 2)
  })
})

batched('a reply that the kernel refuses costs none of the others in its batch', async () => {
  const unwilling = new Unwilling()
  unwilling.script.push({ fails: enobufs }, { sends: batchSlots })
  await withEndpoint(unwilling.calls, async ({ client, endpoint, handler }) => {
    handler.replyBytes = 65508
    client.send(ask(1, 'echo'))
    client.send(ask(2, 'fill'))
    client.send(ask(3, 'echo'))
    // The first is refused by the script, the second by the kernel: 65507 octets are the most that fit into a datagram.
    assert.is(idOf(await client.next()), 3)
    const errors = endpoint.stats.sendErrors
    await until('2 refused', () => errors.get('ENOBUFS') === 1 && errors.get('EMSGSIZE') === 1)
    assert.is(endpoint.stats.sent, 1)
  })
})

batched('an error of reading is counted, and reading goes on', async () => {
  const { receiveMessages } = loadSystemCalls()
  let fails = 2
  const calls: SystemCalls = {
    ...loadSystemCalls(),
    receiveMessages: (fd, headers, count) =>
      fails-- > 0 ? -111 : receiveMessages(fd, headers, count),
  }
  await withEndpoint(calls, async ({ client, endpoint }) => {
    client.send(ask(1, 'echo'))
    assert.is(idOf(await client.next()), 1)
    assert.equal([...endpoint.stats.socketErrors], [['ECONNREFUSED', 2]])
  })
})

batched('a datagram from port 0 reaches the handler, and its reply is not sent', async () => {
  const { receiveMessages } = loadSystemCalls()
  let names: Buffer | undefined
  const calls: SystemCalls = {
    ...loadSystemCalls(),
    receiveMessages(fd, headers, count) {
      const received = receiveMessages(fd, headers, count)
      // The sender's port, in the first name behind 64 headers of 64 octets and as many iovecs of 16.
      names = Buffer.from(headers.buffer, 64 * 80, 4)
      if (received > 0) names.writeUInt16BE(0, 2)
      return received
    },
  }
  await withEndpoint(calls, async ({ client, endpoint, handler }) => {
    client.send(ask(1, 'echo'))
    await until('1 unsendable', () => endpoint.stats.unsendable === 1)
    assert.is(handler.seen[0]?.port, 0)
    assert.is(endpoint.stats.handlerDefects, 0)
    client.send(ask(2, 'hold'))
    await handler.heldCount(1)
    handler.release(0)
    assert.is(endpoint.stats.unsendable, 2)
  })
})

batched('more than a batch of held replies at once reach their senders', async () => {
  await withEndpoint(
    loadSystemCalls(),
    async ({ client, handler }) => {
      const many = 3 * batchSlots + 1
      for (let id = 1; id <= many; id += 1) client.send(ask(id, 'hold'))
      await handler.heldCount(many)
      for (let i = 0; i < many; i += 1) handler.release(i)
      assert.is((await repliesTo(client, many)).size, many)
    },
    { settings: { receiveBufferBytes: 4_194_304, sendQueueMax: 1000 } },
  )
})

batched('forced collections under load spoil no reply', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  await withEndpoint(loadSystemCalls(), async ({ client }) => {
    for (let id = 1; id <= 20_000; id += 1) {
      client.send(ask(id, 'echo', `payload ${id}`))
      const reply = await client.next()
      assert.is(reply?.toString('latin1', 13), `payload ${id}`)
      if (id % 500 === 0) collect()
    }
  })
})

batched.run()
