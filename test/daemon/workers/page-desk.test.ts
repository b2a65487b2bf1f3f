/*
 * Goal: a page of one worker has the numbers of all, also of those that are late or dead, and never counts anything twice. Method: the desk
 * between workers that note what they are sent; their answers come from the test.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PageDesk } from '../../../src/daemon/workers/page-desk.ts'
import type { ToWorker, WorkerPage } from '../../../src/daemon/workers/plan.ts'
import { WorkerProcess } from '../../../src/daemon/workers/process.ts'
import type { WorkerText } from '../../../src/observe/merge-expositions.ts'
import type { SupervisorView } from '../../../src/observe/stats.ts'
import { readExposition, sampleOf } from '../../support/exposition.ts'
import { withHandClock } from '../support.ts'

const test = suite('daemon/workers/page-desk')

/** A worker without a process. */
interface Scripted {
  readonly worker: WorkerProcess
  readonly sent: ToWorker[]
  /** Ends it. */
  readonly end: () => void
}

function scripted(number: number): Scripted {
  const sent: ToWorker[] = []
  const end = Promise.withResolvers<void>()
  const send = (message: ToWorker) => void sent.push(message)
  const gone = () => end.promise
  const worker: WorkerProcess = Object.assign(Object.create(WorkerProcess.prototype), {
    number,
    send,
    gone,
  })
  return { worker, sent, end: end.resolve }
}

const view: SupervisorView = {
  workers: { wanted: 3, ready: 3, restarts: { ended: 0, killed: 0, hung: 0 } },
  handover: {
    counts: {
      ...{ followed: 0, 'handed-over': 0, failed: 0, stranger: 0, resumed: 0 },
      'cache-refused': 0,
    },
    entriesRestored: 0,
  },
  reload: { succeeded: 0, failed: 0, isLastGood: true, appliedSeconds: 0, hash: '' },
}

interface Desk {
  readonly desk: PageDesk
  readonly workers: readonly [Scripted, Scripted, Scripted]
  ready: WorkerProcess[]
}

function deskOf(): Desk {
  const workers = [scripted(0), scripted(1), scripted(2)] as const
  const world: Desk = {
    desk: new PageDesk(
      () => world.ready,
      () => view,
    ),
    workers,
    ready: workers.map(({ worker }) => worker),
  }
  return world
}

/** Numbers of the questions that a worker was asked. */
function questions({ sent }: Scripted): number[] {
  return sent.flatMap((message) => (message.kind === 'ask' ? [message.id] : []))
}

function answer({ desk }: Desk, from: Scripted, text: string): void {
  const id = questions(from).at(-1)
  if (id === undefined) throw new Error('it was not asked')
  desk.take(from.worker, { kind: 'answer', id, text })
}

/** What a worker has been told, by the number of its question. */
function answered({ sent }: Scripted): Map<number, readonly WorkerText[]> {
  return new Map(
    sent.flatMap((message) => (message.kind === 'answers' ? [[message.id, message.parts]] : [])),
  )
}

function counter(value: number): string {
  return `# HELP neardns_x_total x\n# TYPE neardns_x_total counter\nneardns_x_total ${value}\n`
}

/** `worker: text` of the parts that are of workers. */
function texts(parts: readonly WorkerText[] | undefined): string[] | undefined {
  return parts
    ?.filter(({ worker }) => /^\d+$/.test(worker))
    .map(({ worker, text }) => `${worker}: ${text}`)
}

test('all others are asked, and the answer goes to whoever asked when the last has spoken', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 77, page: 'ready' })
  assert.equal([questions(one).length, questions(two).length, questions(three).length], [0, 1, 1])
  answer(world, three, 'c')
  assert.is(answered(one).size, 0)
  answer(world, two, 'b')
  assert.equal(texts(answered(one).get(77)), ['2: c', '1: b'])
  const [message] = one.sent
  assert.equal(message?.kind === 'answers' && message.view, view)
})

test('the only worker is answered at once', () => {
  const world = deskOf()
  const [one] = world.workers
  world.ready = [one.worker]
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  assert.equal(answered(one).get(1), [])
})

test('two readers at a time: each gets its own answer, and a worker answers both', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.ready = [one.worker, two.worker, three.worker]
  world.desk.take(one.worker, { kind: 'ask', id: 5, page: 'ready' })
  world.desk.take(two.worker, { kind: 'ask', id: 5, page: 'ready' })
  const [first = 0, second = 0] = questions(three)
  assert.is.not(first, second)
  world.desk.take(three.worker, { kind: 'answer', id: second, text: 'for two' })
  world.desk.take(three.worker, { kind: 'answer', id: first, text: 'for one' })
  answer(world, two, 'from two')
  answer(world, one, 'from one')
  assert.equal(texts(answered(one).get(5)), ['2: for one', '1: from two'])
  assert.equal(texts(answered(two).get(5)), ['2: for two', '0: from one'])
})

test('a second answer to the same question, one of nobody and one to nothing change nothing', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  answer(world, two, 'b')
  answer(world, two, 'twice')
  world.desk.take(scripted(9).worker, { kind: 'answer', id: questions(two)[0] ?? 0, text: 'who?' })
  world.desk.take(two.worker, { kind: 'answer', id: 999, text: 'to what?' })
  answer(world, three, 'c')
  answer(world, three, 'late')
  assert.equal(texts(answered(one).get(1)), ['1: b', '2: c'])
  assert.is(one.sent.length, 1)
})

test('the page of metrics has the cost of the supervisor, that of readiness does not', () => {
  const world = deskOf()
  const [one] = world.workers
  world.ready = [one.worker]
  const partsOf = (page: WorkerPage, id: number) => {
    world.desk.take(one.worker, { kind: 'ask', id, page })
    return answered(one)
      .get(id)
      ?.map(({ worker }) => worker)
  }
  assert.equal(partsOf('metrics', 1), ['departed', 'supervisor'])
  assert.equal(partsOf('ready', 2), [])
})

test('a worker that is late is shown with what it said the last time: a sum without it looks like a restart', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two, three] = world.workers
    const ask = (id: number) => world.desk.take(one.worker, { kind: 'ask', id, page: 'metrics' })
    ask(1)
    answer(world, two, counter(10))
    answer(world, three, counter(20))
    ask(2)
    answer(world, two, counter(11))
    clock.wind(999)
    assert.is(answered(one).has(2), false)
    clock.wind(1)
    assert.equal(texts(answered(one).get(2)), [`1: ${counter(11)}`, `2: ${counter(20)}`])
    // What comes afterwards is for the next page.
    answer(world, three, counter(21))
    assert.is(one.sent.filter(({ kind }) => kind === 'answers').length, 2)
  }))

test('one that has never said anything is left out of the metrics, and named as not ready', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two] = world.workers
    world.ready = [one.worker, two.worker]
    world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
    world.desk.take(one.worker, { kind: 'ask', id: 2, page: 'ready' })
    clock.wind(1000)
    assert.equal(texts(answered(one).get(1)), [])
    assert.equal(texts(answered(one).get(2)), ['1: worker 1: has not answered for 1000 ms'])
  }))

test('the readiness that a worker said earlier is not repeated for it: it may have changed', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two] = world.workers
    world.ready = [one.worker, two.worker]
    world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
    answer(world, two, '')
    world.desk.take(one.worker, { kind: 'ask', id: 2, page: 'ready' })
    clock.wind(1000)
    assert.match(texts(answered(one).get(2))?.[0] ?? '', /has not answered/)
  }))

/** The counter on the next page, as its reader adds it up. */
function departedOn(world: Desk, reader: Scripted, id: number): number | undefined {
  world.desk.take(reader.worker, { kind: 'ask', id, page: 'metrics' })
  const text =
    answered(reader)
      .get(id)
      ?.find(({ worker }) => worker === 'departed')?.text ?? ''
  return text === '' ? undefined : sampleOf(readExposition(text), 'neardns_x_total')
}

test('what was shown of a worker that has died is not forgotten, and adds up over several deaths', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
  answer(world, two, counter(10))
  answer(world, three, counter(20))
  world.ready = [one.worker]
  assert.is(departedOn(world, one, 2), undefined)
  world.desk.lost(two.worker)
  assert.is(departedOn(world, one, 3), 10)
  world.desk.lost(three.worker)
  assert.is(departedOn(world, one, 4), 30)
  // Its death is told once.
  world.desk.lost(three.worker)
  assert.is(departedOn(world, one, 5), 30)
})

test("the reader's own part counts as shown, in its newest form", () => {
  const world = deskOf()
  const [one, two] = world.workers
  world.desk.take(two.worker, { kind: 'shown', text: counter(5) })
  world.desk.take(two.worker, { kind: 'shown', text: counter(7) })
  world.ready = [one.worker]
  world.desk.lost(two.worker)
  assert.is(departedOn(world, one, 1), 7)
})

test('what nobody was shown need not be remembered', () => {
  const world = deskOf()
  const [one, two] = world.workers
  world.ready = [one.worker]
  world.desk.lost(two.worker)
  assert.is(departedOn(world, one, 1), undefined)
})

test('a worker that dies while it is asked keeps nobody waiting', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  answer(world, two, 'b')
  world.desk.lost(three.worker)
  assert.equal(texts(answered(one).get(1)), ['1: b'])
})

async function read(dump: AsyncIterable<Buffer>): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of dump) pieces.push(piece.toString())
  return pieces
}

test('the cache is that of one worker, to its last piece', async () => {
  const { desk, workers } = deskOf()
  const [one, two] = workers
  const pieces = read(desk.dump())
  assert.equal(one.sent, [{ kind: 'order', order: 'dump', number: 0 }])
  assert.equal(two.sent, [])
  for (const piece of ['a', 'b'])
    desk.take(one.worker, { kind: 'piece', piece: Buffer.from(piece) })
  await Promise.resolve()
  desk.take(one.worker, { kind: 'piece', piece: Buffer.from('c') })
  desk.take(one.worker, { kind: 'piece', piece: new Uint8Array(0) })
  assert.equal(await pieces, ['a', 'b', 'c'])
})

test('a worker that dies with the dump half written ends it: its checksum will not fit', async () => {
  const { desk, workers } = deskOf()
  const [one] = workers
  const pieces = read(desk.dump())
  desk.take(one.worker, { kind: 'piece', piece: Buffer.from('a') })
  await new Promise((resolve) => setImmediate(resolve))
  one.end()
  assert.equal(await pieces, ['a'])
})

test('without a worker there is no cache, and pieces that nobody asked for go nowhere', async () => {
  const world = deskOf()
  const [one] = world.workers
  world.desk.take(one.worker, { kind: 'piece', piece: Buffer.from('a') })
  world.ready = []
  assert.equal(await read(world.desk.dump()), [])
})

test.run()
