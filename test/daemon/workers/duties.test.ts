/*
 * Goal: a worker's daemon does what its supervisor orders, takes over the cache before it serves, and does nothing without a supervisor.
 * Method: a link whose orders the test gives, parts that note what they are asked, and a real cache.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DaemonOptions } from '../../../src/daemon/daemon-options.ts'
import type { DataPath } from '../../../src/daemon/data-path.ts'
import { Listeners } from '../../../src/daemon/listeners.ts'
import { Monitoring } from '../../../src/daemon/monitoring.ts'
import { Succession } from '../../../src/daemon/succession.ts'
import { type DutyParts, startAsWorker } from '../../../src/daemon/workers/duties.ts'
import { type WorkerDuties, WorkerLink } from '../../../src/daemon/workers/link.ts'
import { readDump } from '../../../src/handover/cache-file.ts'
import { dataPathOf, KeptLog } from '../support.ts'

const test = suite('daemon/workers/duties')

class ScriptedLink extends WorkerLink {
  duties_: WorkerDuties | undefined
  readonly steps: string[]

  constructor(steps: string[]) {
    super({ number: 0, count: 2, sockets: [], hasDump: false })
    this.steps = steps
  }

  override start(duties: WorkerDuties): void {
    this.steps.push('start')
    this.duties_ = duties
  }

  override async readDump(): Promise<Buffer | undefined> {
    this.steps.push('dump')
    return undefined
  }
}

interface World {
  readonly steps: string[]
  readonly defects: unknown[]
  readonly path: DataPath
  readonly duties: WorkerDuties
  succeeded: number
}

/** A part of which only what is given here is used. */
function partLike(prototype: object, methods: object) {
  return Object.assign(Object.create(prototype), methods)
}

function partsOf(steps: string[], defects: unknown[], retire: () => Promise<void>): DutyParts {
  const note = (step: string) => (number?: unknown, more?: unknown) =>
    void steps.push([step, number, more].filter((part) => part !== undefined).join(' '))
  return {
    path: dataPathOf({}),
    clock: { nowMs: () => 0 },
    listeners: partLike(Listeners.prototype, { readAlso: note('read also'), leave: note('leave') }),
    monitoring: partLike(Monitoring.prototype, {
      page: async (page: string) => ({ families: [], reasons: [`own ${page}`] }),
    }),
    succession: partLike(Succession.prototype, {
      pauseReceiving: note('pause'),
      resumeReceiving: note('resume'),
      retire: (give: unknown) => {
        steps.push(`retire ${typeof give}`)
        return retire()
      },
    }),
    onDefect: (error) => defects.push(error),
  }
}

function optionsOf(link: WorkerLink | undefined, onSucceeded: () => void): DaemonOptions {
  return {
    log: new KeptLog(),
    facts: { version: '', revision: '', memoryLimitBytes: 0 },
    resolvers: [],
    localAddresses: () => [],
    onSucceeded,
    ...(link && { link }),
  }
}

async function withDuties(
  body: (world: World) => Promise<void>,
  retire = () => Promise.resolve(),
): Promise<void> {
  const steps: string[] = []
  const defects: unknown[] = []
  const link = new ScriptedLink(steps)
  const parts = partsOf(steps, defects, retire)
  const options = optionsOf(link, () => {
    world.succeeded += 1
  })
  await startAsWorker(options, parts)
  const { duties_: duties } = link
  if (duties === undefined) throw new Error('no duties')
  const world: World = { steps, defects, path: parts.path, duties, succeeded: 0 }
  try {
    await body(world)
  } finally {
    parts.path.exchange.stop()
  }
}

test('a process without a supervisor has no duties', async () => {
  const steps: string[] = []
  const parts = partsOf(steps, [], () => Promise.resolve())
  await startAsWorker(
    optionsOf(undefined, () => undefined),
    parts,
  )
  parts.path.exchange.stop()
  assert.equal(steps, [])
})

test('the supervisor is listened to before the cache is read: reading it takes time, and silence is death', () =>
  withDuties(async ({ steps }) => assert.equal(steps, ['start', 'dump'])))

test('each order reaches its part; a socket that is left is answered from for 6 s, longer than an upstream may take', () =>
  withDuties(async ({ steps, duties }) => {
    steps.length = 0
    duties.pause()
    duties.resume()
    await duties.adopt(3)
    await duties.drop(3)
    assert.equal(steps, ['pause', 'resume', 'read also 3', 'leave 3 6000'])
    assert.equal(await duties.page('ready'), { families: [], reasons: ['own ready'] })
  }))

test('a worker retires without connections, because its colleagues of the next group accept their own', () => {
  const never = new Promise<void>(() => undefined)
  return withDuties(
    async ({ steps, duties }) => {
      steps.length = 0
      // Not waited for: the process ends with it.
      duties.retire()
      assert.equal(steps, ['retire undefined'])
    },
    () => never,
  )
})

test('a retirement that fails is a defect, not an unhandled rejection', () => {
  const failure = new Error('no')
  return withDuties(
    async ({ duties, defects }) => {
      duties.retire()
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(defects, [failure])
    },
    () => Promise.reject(failure),
  )
})

test('the cache that is handed over is a whole one', () =>
  withDuties(async ({ duties }) => {
    const pieces: Buffer[] = []
    for await (const piece of duties.dump()) pieces.push(piece)
    const read = readDump(Buffer.concat(pieces))
    assert.equal([read.ok, read.ok && read.records.length], [true, 0])
  }))

test('a worker without a supervisor has nothing left to do here', () =>
  withDuties(async (world) => {
    assert.is(world.succeeded, 0)
    world.duties.orphaned()
    assert.is(world.succeeded, 1)
  }))

test.run()
