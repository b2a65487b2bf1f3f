/*
 * Goal: a start that finds somebody serving follows it or waits for its end, and never serves beside it; whatever fails, somebody goes on
 * serving, and it is counted. Method: both sides in this process, over real sockets, with services that note what they are asked.
 */
import { createServer, type Server } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Handover, type HandoverParts, makeHandover } from '../../src/daemon/handover.ts'
import { WorkerLink } from '../../src/daemon/workers/link.ts'
import type { GiveConnection, Service } from '../../src/handover/predecessor.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { BindError } from '../../src/system/bind.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/process.ts'
import { configOf, dataPathOf, KeptLog } from './support.ts'

const test = suite('daemon/handover')

let meetings = 0
function meetingPoint(): string {
  meetings += 1
  return `@neardns-test-${process.pid}-${meetings}`
}

class NotedService implements Service {
  readonly steps: string[] = []
  give: GiveConnection | undefined

  pauseReceiving(): void {
    this.steps.push('pause')
  }

  resumeReceiving(): void {
    this.steps.push('read on')
  }

  async retire(give: GiveConnection | undefined): Promise<void> {
    this.give = give
    this.steps.push(give === undefined ? 'retire without connections' : 'retire')
  }

  resume(): void {
    this.steps.push('resume')
  }
}

interface Side {
  readonly handover: Handover
  readonly service: NotedService
  readonly log: KeptLog
  /** Dumps that were taken. */
  readonly dumps: string[]
}

interface SideOptions {
  readonly listen?: readonly string[]
  readonly timeoutMs?: number
  readonly afterwards?: 'exit' | 'wait'
  readonly restore?: HandoverParts['restore']
}

const sides: Side[] = []

function sideAt(at: string | null, options: SideOptions = {}): Side {
  const { listen = ['127.0.0.1:0'], timeoutMs = 1000, afterwards = 'exit' } = options
  const config = configOf({ listen, handover: { socket: at, timeoutMs, afterwards } })
  const log = new KeptLog()
  const service = new NotedService()
  const dumps: string[] = []
  const parts: HandoverParts = {
    settings: config.handover,
    log,
    service,
    config: () => config,
    kernelProgram: () => undefined,
    restore:
      options.restore ??
      ((dump) => {
        dumps.push(dump.toString())
        return { entries: 12, skipped: 3 }
      }),
    async *cacheDump() {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    },
  }
  const side = { handover: new Handover(at, parts, loadSystemCalls()), service, log, dumps }
  sides.push(side)
  return side
}

test.after.each(async () => {
  for (const { handover } of sides.splice(0)) await handover.stop()
})

const nothingToOpen = async () => undefined

/** A side that serves and can be followed, with the sockets of one address. */
async function serving(at: string, options: SideOptions = {}): Promise<Side> {
  const side = sideAt(at, options)
  const [address] = configOf({ listen: options.listen ?? ['127.0.0.1:0'] }).listen
  await side.handover.openWith(async () => {
    const { held } = side.handover
    if (address !== undefined) held.forget(held.obtainBoth(address))
  })
  await side.handover.takeOver(undefined)
  return side
}

function bindError(code: string): BindError {
  return new BindError('udp', { address: '127.0.0.1', port: 53, family: 4 }, { code })
}

test('there is none unless it is configured, and none in a worker: its supervisor hands over for all', () => {
  const daemon = {
    path: dataPathOf({}),
    clock: new SystemClock(),
    succession: new NotedService(),
  }
  const options = {
    log: new KeptLog(),
    facts: { version: '', revision: '', memoryLimitBytes: 0 },
    resolvers: [],
    localAddresses: () => [],
  }
  const wanted = configOf({ handover: { socket: meetingPoint() } })
  const link = new WorkerLink({ number: 0, count: 2, sockets: [], hasDump: false })
  assert.is(
    makeHandover(options, daemon, () => configOf()),
    undefined,
  )
  assert.is(
    makeHandover({ ...options, link }, daemon, () => wanted),
    undefined,
  )
  assert.instance(
    makeHandover(options, daemon, () => wanted),
    Handover,
  )
  daemon.path.exchange.stop()
})

test('where nobody serves the sockets are opened, and from then on one can be followed', async () => {
  const at = meetingPoint()
  const first = await serving(at)
  assert.equal(
    Object.values(first.handover.counts).filter((count) => count > 0),
    [],
  )
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  assert.equal(second.handover.held.all.map(({ kind, wanted }) => `${kind} ${wanted}`).toSorted(), [
    'tcp 127.0.0.1:0',
    'udp 127.0.0.1:0',
  ])
})

test('cache and sockets come before anything is asked of the process that serves; it reads on until we do', async () => {
  const at = meetingPoint()
  const first = await serving(at)
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  assert.equal([second.dumps, second.handover.entriesRestored], [['one two'], 12])
  assert.equal(first.service.steps, [])
  await second.handover.serving()
  assert.equal(first.service.steps, ['pause'])
  await second.handover.takeOver(undefined, () => undefined)
  await until('retired', () => first.service.steps.length === 2)
  assert.is(first.service.steps[1], 'retire')
  assert.equal([second.handover.counts.followed, first.handover.counts['handed-over']], [1, 1])
  // The next one follows the second.
  const third = sideAt(at)
  await until('can be followed', async () => {
    await third.handover.openWith(nothingToOpen)
    return third.handover.held.all.length === 2
  })
  assert.equal(first.service.steps, ['pause', 'retire'])
})

test('who takes no connections says so', async () => {
  const at = meetingPoint()
  const first = await serving(at)
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  await second.handover.serving()
  await second.handover.takeOver(undefined)
  await until('retired', () => first.service.steps.length === 2)
  assert.equal(first.service.steps, ['pause', 'retire without connections'])
})

test('a successor whose own question is not answered gives up, and the other reads on', async () => {
  const at = meetingPoint()
  const first = await serving(at)
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  await second.handover.serving()
  let why = ''
  await second.handover.takeOver('no answer within 1000 ms').catch((error: unknown) => {
    why = String(error)
  })
  assert.match(why, /given up: self-query: no answer within 1000 ms/)
  second.handover.abandon()
  await until('it reads on', () => first.service.steps.includes('read on'))
  assert.equal(first.service.steps, ['pause', 'read on'])
  assert.equal([first.handover.counts.failed, second.handover.counts.followed], [1, 0])
})

test('a daemon that follows nobody serves, even if its own question was not answered: there is nobody else', async () => {
  const { handover } = sideAt(meetingPoint())
  await handover.openWith(nothingToOpen)
  await handover.takeOver('no answer within 1000 ms')
})

test('a cache that is of no use costs the cache, not the hand-over', async () => {
  const at = meetingPoint()
  await serving(at)
  const second = sideAt(at, {
    restore: () => {
      throw new Error('its checksum does not fit')
    },
  })
  await second.handover.openWith(nothingToOpen)
  assert.equal([second.handover.counts['cache-refused'], second.handover.entriesRestored], [1, 0])
  assert.equal(second.log.lines[0]?.fields['why'], 'its checksum does not fit')
  assert.is(second.handover.held.all.length, 2)
})

test('an address that is just becoming free is waited for', async () => {
  const { handover } = sideAt(meetingPoint())
  let attempts = 0
  await handover.openWith(async () => {
    attempts += 1
    if (attempts < 4) throw bindError('EADDRINUSE')
  })
  assert.is(attempts, 4)
})

test('an address that stays taken is an error when the time is up', async () => {
  const { handover } = sideAt(meetingPoint(), { timeoutMs: 250 })
  let attempts = 0
  const startMs = performance.now()
  let thrown: unknown
  const open = async () => {
    attempts += 1
    throw bindError('EADDRINUSE')
  }
  await handover.openWith(open).catch((error: unknown) => {
    thrown = error
  })
  assert.instance(thrown, BindError)
  assert.ok(performance.now() - startMs >= 250)
  assert.ok(attempts >= 2, `${attempts} attempts`)
})

const hopeless: readonly [what: string, at: string | null, code: string][] = [
  ['without hand-over nobody is about to end', null, 'EADDRINUSE'],
  ['an address that is not ours will not become ours', meetingPoint(), 'EADDRNOTAVAIL'],
  ['rights do not come by waiting', meetingPoint(), 'EACCES'],
]
for (const [what, at, code] of hopeless) {
  test(`${what}: ${code} is told at once`, async () => {
    const { handover } = sideAt(at)
    let attempts = 0
    const open = async () => {
      attempts += 1
      throw bindError(code)
    }
    await handover.openWith(open).catch(() => undefined)
    assert.is(attempts, 1)
  })
}

test('with the sockets of the one we follow, an address that is taken is somebody else: told at once', async () => {
  const at = meetingPoint()
  const first = await serving(at)
  const second = sideAt(at)
  let attempts = 0
  const open = async () => {
    attempts += 1
    throw bindError('EADDRINUSE')
  }
  await second.handover.openWith(open).catch(() => undefined)
  second.handover.abandon()
  assert.is(attempts, 1)
  await until('given up', () => first.handover.counts.failed === 1)
})

/** Listens at the meeting point and speaks no hand-over. */
async function withNonsense(at: string, body: () => Promise<void>): Promise<void> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined).resume()
    socket.end('{"error":"we speak something else"}\n')
  })
  await new Promise<void>((resolve) => server.listen({ path: `\0${at.slice(1)}` }, resolve))
  try {
    await body()
  } finally {
    server.close()
  }
}

test('a process that cannot be followed is said once, counted at each attempt, and not served beside', async () => {
  const at = meetingPoint()
  await withNonsense(at, async () => {
    const { handover, log } = sideAt(at)
    let attempts = 0
    await handover.openWith(async () => {
      attempts += 1
      if (attempts < 3) throw bindError('EADDRINUSE')
    })
    assert.equal([attempts, handover.counts.failed], [3, 3])
    assert.equal(
      log.lines.map(({ level, fields }) => [level, String(fields['why'])]),
      [['warn', 'the process that serves refused: we speak something else']],
    )
  })
})

test('a meeting point that cannot be had is no reason not to serve', async () => {
  const at = meetingPoint()
  await withNonsense(at, async () => {
    const { handover, log } = sideAt(at)
    await handover.await()
    assert.is(handover.counts.failed, 1)
    assert.match(log.messages('error').join(), /nobody can follow us/)
  })
})

test('sockets that the new configuration does not want are closed when it serves, not before', async () => {
  const at = meetingPoint()
  const [kept, gone] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const first = sideAt(at, { listen: [kept, gone] })
  await first.handover.openWith(async () => {
    const { held } = first.handover
    for (const address of configOf({ listen: [kept, gone] }).listen) {
      held.forget(held.obtainBoth(address))
    }
  })
  await first.handover.takeOver(undefined)
  const second = sideAt(at, { listen: [kept] })
  await second.handover.openWith(nothingToOpen)
  await second.handover.serving()
  assert.is(second.handover.held.all.length, 4)
  await second.handover.takeOver(undefined)
  assert.equal(
    second.handover.held.all.map(({ wanted }) => wanted),
    [kept, kept],
  )
})

test('a process that waits serves again when its successor ends', async () => {
  const at = meetingPoint()
  const first = await serving(at, { afterwards: 'wait' })
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  await second.handover.serving()
  await second.handover.takeOver(undefined)
  await until('somebody waits', () => second.handover.isWaitedFor)
  assert.equal(first.service.steps, ['pause', 'retire without connections'])
  await second.handover.resign()
  await until('resumed', () => first.service.steps.includes('resume'))
  await first.handover.resumed()
  assert.is(first.handover.counts.resumed, 1)
  // And can be followed again.
  const third = sideAt(at)
  await third.handover.openWith(nothingToOpen)
  assert.is(third.handover.held.all.length, 2)
})

test('a process that ends when it is followed is not waited for', async () => {
  const at = meetingPoint()
  await serving(at)
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  await second.handover.serving()
  await second.handover.takeOver(undefined)
  await until('said', () => second.log.lines.some(({ message }) => /has gone/.test(message)))
  assert.is(second.handover.isWaitedFor, false)
})

test('no hand-over is going on: an end need not wait for one', async () => {
  const at = meetingPoint()
  await sideAt(null).handover.idle()
  const first = await serving(at)
  await first.handover.idle()
  const second = sideAt(at)
  await second.handover.openWith(nothingToOpen)
  let isIdle = false
  const idle = first.handover.idle().then(() => {
    isIdle = true
  })
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.is(isIdle, false)
  second.handover.abandon()
  await idle
})

test('workers have all got the same cache: the largest number is told, and a refusal counts once', () => {
  const { handover } = sideAt(null)
  handover.noteRestored({ entries: 10, isRefused: false })
  handover.noteRestored({ entries: 7, isRefused: false })
  assert.is(handover.entriesRestored, 10)
  handover.noteRestored({ entries: 0, isRefused: true })
  handover.noteRestored({ entries: 0, isRefused: true })
  assert.equal([handover.entriesRestored, handover.counts['cache-refused']], [10, 1])
})

test.run()
