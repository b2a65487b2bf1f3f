/*
 * Goal: one connection behaves as RFC 7766 and the project's table of odd TCP clients ask.
 * Method: real connections to 127.0.0.1 and ::1, octets written as an odd client would.
 */
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Transport } from '../../src/core/ports.ts'
import type { TcpClient } from '../support/client/dns-client.ts'
import { until } from '../support/process.ts'
import { ask, idOf, v4, v6 } from './scripted-handler.ts'
import { TcpFixture } from './tcp-fixture.ts'

const session = suite('listen/tcp-session')

function framed(...messages: readonly Buffer[]): Buffer {
  const length = ({ length: bytes }: Buffer) => Buffer.of(bytes >> 8, bytes & 0xff)
  return Buffer.concat(messages.flatMap((message) => [length(message), message]))
}

async function idsOf(client: TcpClient, count: number): Promise<(number | undefined)[]> {
  const ids: (number | undefined)[] = []
  for (let n = 0; n < count; n += 1) ids.push(idOf(await client.next()))
  return ids
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Runs `body`; resolves with how long it took. */
async function tookMs(body: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await body()
  return performance.now() - startedMs
}

session(
  'messages that come apart are batches apart: each has its own time of arrival',
  async () => {
    await TcpFixture.run(async (fixture) => {
      const client = await fixture.client()
      let before = 0
      for (const id of [1, 2, 3]) {
        client.send(ask(id, 'echo'))
        assert.is(idOf(await client.next()), id)
        assert.ok(fixture.handler.batches > before, `${fixture.handler.batches} batches`)
        before = fixture.handler.batches
      }
    })
  },
)

for (const address of [v4, v6]) {
  session(`a query to ${address.address} is answered and its sender known`, async () => {
    await TcpFixture.run(
      async (fixture) => {
        const client = await fixture.client()
        client.send(ask(7, 'echo', 'payload'))
        const reply = await client.next()
        assert.is(idOf(reply), 7)
        assert.is(reply?.toString('latin1', 13), 'payload')
        assert.equal(fixture.handler.seen, [
          {
            transport: Transport.tcp,
            family: address.family,
            port: client.socket.localPort,
            serverIndex: 2,
            address: address.address,
          },
        ])
      },
      {},
      address,
    )
  })
}

session('length and message of a reply come in one piece', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    const first = once(client.socket, 'data')
    client.send(ask(1, 'echo'))
    const [chunk] = (await first) as [Buffer]
    assert.is(chunk.length, 2 + 13)
  })
})

session('two queries in one segment are both answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(1, 'echo'), ask(2, 'echo'))
    assert.equal(await idsOf(client, 2), [1, 2])
  })
})

session('queries cut at any place are answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const octets = framed(ask(1, 'echo', 'abc'), ask(2, 'echo'))
    for (let cut = 1; cut < octets.length; cut += 1) {
      const client = await fixture.client()
      client.sendRaw(octets.subarray(0, cut))
      // The second piece is sent only when the first was read: else the kernel would join them.
      await until('read', () => client.socket.writableLength === 0)
      await new Promise((resolve) => setImmediate(resolve))
      client.sendRaw(octets.subarray(cut))
      assert.equal(await idsOf(client, 2), [1, 2], `cut at ${cut}`)
      await client.close()
    }
  })
})

session('a query that comes octet by octet is answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    for (const octet of framed(ask(1, 'echo'))) {
      client.sendRaw(Buffer.of(octet))
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(await idsOf(client, 1), [1])
  })
})

session('a slow query does not block the fast one behind it', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(1, 'hold'), ask(2, 'echo'))
    assert.equal(await idsOf(client, 1), [2])
    fixture.handler.release(0)
    assert.equal(await idsOf(client, 1), [1])
  })
})

session('held queries are answered in the order in which their answers come', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(...upTo(5).map((id) => ask(id, 'hold')))
    await fixture.handler.heldCount(5)
    for (const index of [3, 0, 4, 1, 2]) fixture.handler.release(index, `text ${index}`)
    for (const index of [3, 0, 4, 1, 2]) {
      const reply = await client.next()
      assert.is(idOf(reply), index)
      assert.is(reply?.toString('latin1', 12), `text ${index}`)
    }
  })
})

session('two queries in flight with the same ID are both answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(9, 'hold'), ask(9, 'hold'))
    await fixture.handler.heldCount(2)
    fixture.handler.releaseAll()
    assert.equal(await idsOf(client, 2), [9, 9])
  })
})

session('a reply handed over twice is sent once', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(1, 'hold'))
    await fixture.handler.heldCount(1)
    fixture.handler.release(0)
    fixture.handler.release(0)
    client.send(ask(2, 'echo'))
    assert.equal(await idsOf(client, 2), [1, 2])
  })
})

session('1000 pipelined queries are all answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(...upTo(1000).map((id) => ask(id, 'echo')))
    assert.equal(await idsOf(client, 1000), upTo(1000))
  })
})

session('1000 pipelined queries that must wait are taken pipelineMax at a time', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.send(...upTo(1000).map((id) => ask(id, 'hold')))
      const answered = new Set<number | undefined>()
      while (answered.size < 1000) {
        await fixture.handler.heldCount(100)
        assert.is(fixture.handler.held.length, 100)
        fixture.handler.releaseAll()
        for (const id of await idsOf(client, 100)) answered.add(id)
      }
      assert.is(answered.size, 1000)
      assert.is(fixture.stats.received, 1000)
    },
    { pipelineMax: 100 },
  )
})

session('one answer lets one more query in when the pipeline is full', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.send(...upTo(6).map((id) => ask(id, 'hold')))
      await fixture.handler.heldCount(2)
      for (const index of upTo(4)) {
        assert.is(fixture.handler.held.length, index + 2)
        fixture.handler.release(index)
        await fixture.handler.heldCount(index + 3)
      }
    },
    { pipelineMax: 2 },
  )
})

session(
  'a client that shuts its sending side gets the answers it waits for, then FIN',
  async () => {
    await TcpFixture.run(async (fixture) => {
      const client = await fixture.client()
      client.send(ask(1, 'hold'), ask(2, 'echo'))
      client.socket.end()
      assert.equal(await idsOf(client, 1), [2])
      fixture.handler.release(0)
      assert.equal(await idsOf(client, 1), [1])
      assert.ok(await client.peerClosed(1000))
      assert.is(fixture.stats.closed.peer, 1)
    })
  },
)

session('half-close behind more queries than the pipeline takes: all are answered', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.send(...upTo(50).map((id) => ask(id, 'hold')))
      client.socket.end()
      for (let answered = 0; answered < 50; answered += 10) {
        await fixture.handler.heldCount(10)
        fixture.handler.releaseAll()
        assert.equal(
          await idsOf(client, 10),
          upTo(10).map((id) => id + answered),
        )
      }
      assert.ok(await client.peerClosed(1000))
    },
    { pipelineMax: 10 },
  )
})

session('half-close in the middle of a message closes at once', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.sendRaw(framed(ask(1, 'echo')).subarray(0, 7))
    client.socket.end()
    assert.ok(await client.peerClosed(1000))
  })
})

const odd: readonly (readonly [name: string, octets: Buffer])[] = [
  ['a length of zero', Buffer.of(0, 0)],
  ['a frame of 5 octets', framed(Buffer.from('junk!'))],
  ['a frame of 11 octets', framed(Buffer.alloc(11))],
  ['a response', framed(Buffer.concat([Buffer.of(0, 1, 0x80), Buffer.alloc(10)]))],
  ['a query that the handler drops', framed(ask(1, 'drop'))],
]

for (const [name, octets] of odd) {
  session(`${name} closes the connection, and what was asked before is answered`, async () => {
    await TcpFixture.run(async (fixture) => {
      const client = await fixture.client()
      client.send(ask(1, 'hold'), ask(2, 'echo'))
      await fixture.handler.heldCount(1)
      client.sendRaw(Buffer.concat([octets, framed(ask(3, 'echo'))]))
      assert.equal(await idsOf(client, 1), [2])
      // An answer to somebody else says that the odd octets have been read too.
      const other = await fixture.client()
      other.send(ask(4, 'echo'))
      assert.equal(await idsOf(other, 1), [4])
      fixture.handler.release(0)
      assert.equal(await idsOf(client, 2), [1, undefined])
      assert.ok(await client.peerClosed(1000))
    })
  })
}

session('an exception in the handler closes that connection only', async () => {
  await TcpFixture.run(async (fixture) => {
    const [one, two] = [await fixture.client(), await fixture.client()]
    one.send(ask(1, 'throw'))
    assert.ok(await one.peerClosed(1000))
    two.send(ask(2, 'echo'))
    assert.equal(await idsOf(two, 1), [2])
    assert.is(fixture.stats.handlerDefects, 1)
    assert.is(fixture.defects.length, 1)
  })
})

session('an exception after a query was held still lets that one be answered', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    client.send(ask(1, 'hold-then-throw'), ask(2, 'echo'))
    await until('thrown', () => fixture.defects.length === 1)
    fixture.handler.release(0)
    assert.equal(await idsOf(client, 2), [1, undefined])
  })
})

session('a long frame that stalls at 10 octets is closed after messageMs', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.sendRaw(Buffer.concat([Buffer.of(0xff, 0xff), Buffer.alloc(8)]))
      const closedAfterMs = await tookMs(() => client.peerClosed(5000))
      assert.ok(closedAfterMs > 190 && closedAfterMs < 600, `${closedAfterMs} ms`)
      await client.close()
      await until('counted', () => fixture.stats.closed['message-timeout'] === 1)
    },
    { messageMs: 200 },
  )
})

session('messageMs runs from the first octet, also when one octet comes every 20 ms', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.sendRaw(Buffer.of(0xff))
      const drip = setInterval(() => client.sendRaw(Buffer.of(0xff)), 20)
      const closedAfterMs = await tookMs(() => client.peerClosed(5000))
      clearInterval(drip)
      assert.ok(closedAfterMs > 190 && closedAfterMs < 600, `${closedAfterMs} ms`)
    },
    { messageMs: 200 },
  )
})

session('queries in flight are answered although the next message times out', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.sendRaw(Buffer.concat([framed(ask(1, 'hold')), Buffer.of(0)]))
      assert.not(await client.peerClosed(300))
      fixture.handler.release(0)
      assert.equal(await idsOf(client, 2), [1, undefined])
    },
    { messageMs: 100 },
  )
})

session('an idle connection is closed after idleMs, counted from its last query', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const [silent, asking] = [await fixture.client(), await fixture.client()]
      const asked = setInterval(() => asking.send(ask(1, 'echo')), 50)
      const closedAfterMs = await tookMs(() => silent.peerClosed(5000))
      assert.ok(closedAfterMs > 190 && closedAfterMs < 600, `${closedAfterMs} ms`)
      assert.not(asking.ended)
      clearInterval(asked)
      assert.ok(await asking.peerClosed(1000))
      await Promise.all([silent.close(), asking.close()])
      await until('counted', () => fixture.stats.closed.idle === 2)
    },
    { idleMs: 200 },
  )
})

session('a connection with a query in flight is not idle', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.send(ask(1, 'hold'))
      assert.not(await client.peerClosed(400))
      fixture.handler.release(0)
      assert.equal(await idsOf(client, 1), [1])
      assert.ok(await client.peerClosed(1000))
    },
    { idleMs: 100 },
  )
})

session('after lifetimeMs even a busy connection is ended, with its answers', async () => {
  await TcpFixture.run(
    async (fixture) => {
      const client = await fixture.client()
      client.send(ask(1, 'hold'))
      const asked = setInterval(() => client.send(ask(2, 'echo')), 20)
      assert.not(await client.peerClosed(400))
      fixture.handler.release(0)
      assert.ok(await client.peerClosed(1000))
      clearInterval(asked)
      const ids: (number | undefined)[] = []
      for (let id = idOf(await client.next()); id !== undefined; id = idOf(await client.next())) {
        ids.push(id)
      }
      assert.is(ids.at(-1), 1)
      await client.close()
      await until('counted', () => fixture.stats.closed.lifetime === 1)
    },
    { lifetimeMs: 200 },
  )
})

session('a client that resets its connection in flight harms nobody', async () => {
  await TcpFixture.run(async (fixture) => {
    const [one, two] = [await fixture.client(), await fixture.client()]
    one.send(ask(1, 'hold'))
    await fixture.handler.heldCount(1)
    one.socket.resetAndDestroy()
    await until('gone', () => fixture.stats.open === 1)
    fixture.handler.release(0)
    two.send(ask(2, 'echo'))
    assert.equal(await idsOf(two, 1), [2])
    assert.is(fixture.stats.closed.error, 1)
  })
})

session(
  'a client that reads none of its many big answers is cut off before they pile up',
  async () => {
    await TcpFixture.run(
      async (fixture) => {
        const deaf = await fixture.deafClient()
        deaf.write(framed(...upTo(400).map((id) => ask(id, 'hold'))))
        await fixture.handler.heldCount(400)
        for (const index of upTo(400)) fixture.handler.release(index, 'x'.repeat(65_000))
        assert.is(fixture.stats.open, 0)
        assert.is(fixture.stats.closed['write-stalled'], 1)
        // 26 MB were answered; what the kernel had not taken stopped at 8 x writeQueueBytesMax.
        assert.ok(fixture.stats.sent < 350, `${fixture.stats.sent} of 400 answers were accepted`)
      },
      { pipelineMax: 400 },
    )
  },
)

session(
  'where clients have left all the memory for unread replies, one that reads none is cut off sooner',
  async () => {
    await TcpFixture.run(
      async (fixture) => {
        const deaf = await fixture.deafClient()
        deaf.write(framed(...upTo(400).map((id) => ask(id, 'hold'))))
        await fixture.handler.heldCount(400)
        let most = 0
        for (const index of upTo(400)) {
          fixture.handler.release(index, 'x'.repeat(65_000))
          most = Math.max(most, fixture.connections.unsent.taken)
        }
        assert.is(fixture.stats.closed['write-stalled'], 1)
        assert.ok(most > 65_536 && most < 4 * 65_536, `${most} bytes`)
        assert.is(fixture.connections.unsent.taken, 0)
      },
      { pipelineMax: 400, unsentBytesMax: 100_000 },
    )
  },
)

session('a reply of 65535 octets comes through', async () => {
  await TcpFixture.run(async (fixture) => {
    fixture.handler.replyBytes = 65535
    const client = await fixture.client()
    client.send(ask(1, 'fill'), ask(2, 'fill'))
    assert.is((await client.next())?.length, 65535)
    assert.is((await client.next())?.length, 65535)
  })
})

/** A query that the scripted handler answers with this RCODE: it copies the header. */
function complained(id: number, rcode: number): Buffer {
  const query = ask(id, 'echo')
  query.writeUInt8(rcode, 3)
  return query
}

for (const [what, rcode] of [
  ['FORMERR', 1],
  ['NOTIMP', 4],
] as const) {
  session(
    `a client that gets ${what} only is closed after the allowed number, with all replies`,
    async () => {
      await TcpFixture.run(
        async (fixture) => {
          const client = await fixture.client()
          client.send(...upTo(20).map((id) => complained(id, rcode)))
          assert.equal(await idsOf(client, 4), [0, 1, 2, undefined])
          assert.ok(await client.peerClosed(3000))
          assert.is(fixture.handler.handled, 3)
          await client.close()
          await until('counted', () => fixture.stats.closed.malformed === 1)
        },
        { malformedMax: 3 },
      )
    },
  )
}

session(
  'a good query between them starts the count anew, held or not; other codes never count',
  async () => {
    await TcpFixture.run(
      async (fixture) => {
        const client = await fixture.client()
        client.send(complained(1, 1), complained(2, 4), ask(3, 'echo'))
        client.send(complained(4, 1), complained(5, 1), ask(6, 'hold'), complained(7, 1))
        client.send(complained(8, 5), complained(9, 3), complained(10, 2), complained(11, 9))
        assert.equal(await idsOf(client, 10), [1, 2, 3, 4, 5, 7, 8, 9, 10, 11])
        fixture.handler.release(0)
        assert.equal(await idsOf(client, 1), [6])
      },
      { malformedMax: 3 },
    )
  },
)

for (const length of [0, 1, 11]) {
  session(`a flood of messages of ${length} bytes ends with the first`, async () => {
    await TcpFixture.run(async (fixture) => {
      const client = await fixture.client()
      client.send(...upTo(100).map(() => Buffer.alloc(length)))
      assert.ok(await client.peerClosed(3000))
      assert.is(fixture.handler.handled, 0)
      await client.close()
      await until('counted', () => fixture.stats.closed['bad-length'] === 1)
    })
  })
}

session('a flood of responses (QR=1) ends with the first', async () => {
  await TcpFixture.run(async (fixture) => {
    const client = await fixture.client()
    const response = ask(1, 'echo')
    response.writeUInt8(0x80, 2)
    client.send(...upTo(100).map(() => response))
    assert.ok(await client.peerClosed(3000))
    assert.is(fixture.handler.handled, 1)
    await client.close()
    await until('counted', () => fixture.stats.closed['dropped-query'] === 1)
  })
})

session.run()
