/*
 * Goal: clients that mean ill cost little memory and CPU, and the others are served meanwhile.
 * Method: the listener in a process of its own, real floods from this one over 127.0.0.1, its RSS and CPU read.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TcpSettings } from '../../src/listen/tcp-settings.ts'
import { askTcp, askUdp } from '../support/client/dns-client.ts'
import { Child, until } from '../support/process.ts'
import type { FloodReport } from './flood-server.ts'
import { ask, idOf } from './scripted-handler.ts'

const flood = suite('listen/tcp-flood')

const defaults: TcpSettings = {
  connectionsMax: 1024,
  connectionsPerClientMax: 64,
  unsentBytesMax: 16_777_216,
  idleMs: 10_000,
  messageMs: 2000,
  pipelineMax: 100,
  writeQueueBytesMax: 65_536,
  writeStallMs: 5000,
  lifetimeMs: 300_000,
  malformedMax: 8,
}

const serverFile = join(import.meta.dirname, 'flood-server.ts')

/** The server process, and connections from addresses of 127.0.0.0/8 that are closed with it. */
class Flood {
  port = 0
  private readonly sockets: Socket[] = []
  private readonly child: Child

  private constructor(child: Child) {
    this.child = child
  }

  static async run(
    body: (flood: Flood) => Promise<void>,
    settings: Partial<TcpSettings> = {},
    filesMax = 4096,
  ): Promise<void> {
    const json = JSON.stringify({ ...defaults, ...settings })
    const script = `ulimit -n ${filesMax}; exec "$0" "$@"`
    const args = ['-c', script, process.execPath, serverFile, json]
    const child = new Child('sh', args, { ipc: true })
    const running = new Flood(child)
    try {
      const [{ port }] = (await once(child.process, 'message')) as [FloodReport]
      running.port = port
      await body(running)
    } finally {
      for (const socket of running.sockets) socket.destroy()
      await child.stop('SIGKILL')
    }
  }

  async report(): Promise<FloodReport> {
    const answer = once(this.child.process, 'message')
    this.child.process.send('report')
    const ended = this.child.exited.then(() => undefined)
    const message = await Promise.race([answer, ended])
    if (message === undefined) throw new Error(`the server ended: ${this.child.tail()}`)
    return message[0] as FloodReport
  }

  /** A connection that is never read. */
  async connect(localAddress: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: this.port, localAddress })
    this.sockets.push(socket)
    socket.on('error', () => undefined)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    return socket
  }

  /** One query over UDP; undefined when it took too long. */
  async udpMs(): Promise<number | undefined> {
    const startedMs = performance.now()
    const reply = await askUdp({ host: '127.0.0.1', port: this.port }, ask(1, 'echo'), 1000)
    return reply === undefined ? undefined : performance.now() - startedMs
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}

function framedTimes(query: Buffer, count: number): Buffer {
  const frame = Buffer.concat([Buffer.of(0, query.length), query])
  return Buffer.alloc(frame.length * count, frame)
}

/** 20 addresses, so that the cap per client is not what is tested. */
function pod(index: number): string {
  return `127.0.1.${1 + (index % 20)}`
}

const mib = 1_048_576

flood('100 clients that ask 10,000 times each and never read cost less than 10 MiB', async () => {
  await Flood.run(async (victim) => {
    const queries = framedTimes(ask(1, 'fill'), 10_000)
    // What V8 takes for itself once there is work (15 MiB) is not what these clients cost.
    const wellBehaved = await victim.connect(pod(0))
    wellBehaved.resume()
    for (let turn = 0; turn < 10; turn += 1) wellBehaved.write(queries)
    const warm = async () => (await victim.report()).handled === 100_000
    await until('warm', warm, { timeoutMs: 20_000 })
    wellBehaved.destroy()
    const before = await victim.report()
    let peakBytes = 0
    const watch = async () => {
      const { rssBytes } = await victim.report()
      peakBytes = Math.max(peakBytes, rssBytes)
    }
    for (let index = 0; index < 100; index += 1) {
      const socket = await victim.connect(pod(index))
      socket.write(queries)
      await watch()
    }
    let handled = -1
    await until(
      'nothing is read any more',
      async () => {
        const report = await victim.report()
        peakBytes = Math.max(peakBytes, report.rssBytes)
        const still = report.handled === handled
        handled = report.handled
        return still
      },
      { timeoutMs: 20_000, everyMs: 200 },
    )
    assert.ok(handled < 1_000_000, 'the kernel took all replies: this tests nothing')
    assert.ok((await victim.udpMs()) !== undefined, 'UDP is answered')
    const growthBytes = peakBytes - before.rssBytes
    assert.ok(growthBytes < 10 * mib, `grew by ${(growthBytes / mib).toFixed(1)} MiB`)
    await until(
      'all are cut off',
      async () => {
        const { tcp } = await victim.report()
        return tcp.open === 0 && tcp.closed['write-stalled'] === 100
      },
      { timeoutMs: 15_000 },
    )
  })
})

flood(
  '1,000 idle connections beyond the cap displace each other, and service goes on',
  async () => {
    await Flood.run(
      async (victim) => {
        for (let index = 0; index < 1100; index += 1) await victim.connect(pod(index))
        await until('all accepted', async () => (await victim.report()).tcp.accepted === 1100)
        const { tcp } = await victim.report()
        assert.is(tcp.open, 100)
        assert.is(tcp.closed.evicted, 1000)
        const reply = await askTcp({ host: '127.0.0.1', port: victim.port }, ask(5, 'echo'))
        assert.is(idOf(reply), 5)
        assert.ok((await victim.udpMs()) !== undefined, 'UDP is answered')
      },
      { connectionsMax: 100 },
    )
  },
)

flood('an idle flood is gone after idleMs', async () => {
  await Flood.run(
    async (victim) => {
      for (let index = 0; index < 200; index += 1) await victim.connect(pod(index))
      await until('closed', async () => (await victim.report()).tcp.closed.idle === 200)
      await until('gone', async () => (await victim.report()).tcp.open === 0)
    },
    { idleMs: 300, messageMs: 100 },
  )
})

flood('200 clients that each promise 65535 octets and send 60000 are bounded', async () => {
  await Flood.run(
    async (victim) => {
      const begun = Buffer.concat([Buffer.of(0xff, 0xff), Buffer.alloc(60_000)])
      for (let index = 0; index < 200; index += 1) {
        const socket = await victim.connect(pod(index))
        socket.write(begun)
      }
      // 200 connections may hold 200 x 4096 octets together; 65535 each are 12 of them.
      await until('refused', async () => (await victim.report()).tcp.closed.memory > 150, {
        timeoutMs: 8000,
      })
      const reply = await askTcp({ host: '127.0.0.1', port: victim.port }, ask(5, 'echo'))
      assert.is(idOf(reply), 5)
    },
    { connectionsMax: 200, messageMs: 1500 },
  )
})

flood('without file descriptors it neither spins nor dies, and it recovers', async () => {
  const filesMax = 60
  await Flood.run(
    async (victim) => {
      for (let index = 0; index < 100; index += 1) await victim.connect(pod(index))
      const before = await victim.report()
      assert.ok(before.tcp.open < filesMax, 'the limit was never reached')
      assert.ok((await victim.udpMs()) !== undefined, 'UDP is answered')
      const startedMs = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 500))
      const after = await victim.report()
      const busy = (after.cpuMs - before.cpuMs) / (performance.now() - startedMs)
      assert.ok(busy < 0.5, `it was busy ${(busy * 100).toFixed(0)} % of the time`)
      victim.hangUp()
      await until('gone', async () => (await victim.report()).tcp.open === 0)
      const reply = await askTcp({ host: '127.0.0.1', port: victim.port }, ask(5, 'echo'))
      assert.is(idOf(reply), 5)
    },
    {},
    filesMax,
  )
})

flood.run()
