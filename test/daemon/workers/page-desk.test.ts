/*
 * Goal: a page of one worker has the numbers of all, also of those that are late or dead, and never counts anything twice. Method: the desk
 * between workers that note what they are sent; their answers come from the test.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PageDesk } from '../../../src/daemon/workers/page-desk.ts'
import type { GroupPage, ToWorker, WorkerAnswer } from '../../../src/daemon/workers/plan.ts'
import { WorkerProcess } from '../../../src/daemon/workers/process.ts'
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

/** A worker that is not ready, for this reason. */
function because(reason: string): WorkerAnswer {
  return { families: [], reasons: [reason] }
}

/** A worker that has counted so much. */
function counted(value: number): WorkerAnswer {
  const reading = { name: 'neardns_x_total', kind: 'counter', help: 'x' } as const
  return { families: [{ ...reading, labels: [''], suffixes: [], values: [value] }], reasons: [] }
}

function answer({ desk }: Desk, from: Scripted, given: WorkerAnswer): void {
  const id = questions(from).at(-1)
  if (id === undefined) throw new Error('it was not asked')
  desk.take(from.worker, { kind: 'answer', id, answer: given })
}

/** The page that a worker has got for its question. */
function pageOf({ sent }: Scripted, id: number): GroupPage | undefined {
  const found = sent.find((message) => message.kind === 'page' && message.id === id)
  return found?.kind === 'page' ? found.page : undefined
}

function reasonsOf(from: Scripted, id: number): readonly string[] | undefined {
  return pageOf(from, id)?.reasons
}

/** The sum on a page of metrics. */
function sumOn(from: Scripted, id: number): number | undefined {
  const page = pageOf(from, id)
  return page && sampleOf(readExposition(page.text), 'neardns_x_total')
}

test('for readiness all others are asked, and the page goes to whoever asked when the last has spoken', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 77, page: 'ready' })
  assert.equal([questions(one).length, questions(two).length, questions(three).length], [0, 1, 1])
  answer(world, three, because('c'))
  assert.is(pageOf(one, 77), undefined)
  answer(world, two, because('b'))
  assert.equal(reasonsOf(one, 77), ['c', 'b'])
  const [message] = one.sent
  assert.equal(message?.kind === 'page' && message.view, view)
})

test('for metrics the asker is asked as well, after the view of the group has come with the question', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
  for (const { sent } of world.workers) {
    assert.equal(sent[0]?.kind === 'ask' && sent[0].view, view)
  }
  answer(world, one, counted(1))
  answer(world, two, counted(10))
  answer(world, three, counted(100))
  assert.is(sumOn(one, 1), 111)
})

test('the only worker is answered at once', () => {
  const world = deskOf()
  const [one] = world.workers
  world.ready = [one.worker]
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  assert.equal(reasonsOf(one, 1), [])
})

test('two readers at a time: each gets its own answer, and a worker answers both', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 5, page: 'ready' })
  world.desk.take(two.worker, { kind: 'ask', id: 5, page: 'ready' })
  const [first = 0, second = 0] = questions(three)
  assert.is.not(first, second)
  world.desk.take(three.worker, { kind: 'answer', id: second, answer: because('for two') })
  world.desk.take(three.worker, { kind: 'answer', id: first, answer: because('for one') })
  answer(world, two, because('from two'))
  answer(world, one, because('from one'))
  assert.equal(reasonsOf(one, 5), ['for one', 'from two'])
  assert.equal(reasonsOf(two, 5), ['for two', 'from one'])
})

test('a second answer to the same question, one of nobody and one to nothing change nothing', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  answer(world, two, because('b'))
  answer(world, two, because('twice'))
  const [id = 0] = questions(two)
  world.desk.take(scripted(9).worker, { kind: 'answer', id, answer: because('who?') })
  world.desk.take(two.worker, { kind: 'answer', id: 999, answer: because('to what?') })
  answer(world, three, because('c'))
  answer(world, three, because('late'))
  assert.equal(reasonsOf(one, 1), ['b', 'c'])
  assert.is(one.sent.length, 1)
})

test('the page of metrics has the cost of the supervisor, that of readiness has no text', () => {
  const world = deskOf()
  const [one] = world.workers
  world.ready = [one.worker]
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
  answer(world, one, counted(1))
  const series = readExposition(pageOf(one, 1)?.text ?? '').get('process_resident_memory_bytes')
  assert.equal(
    series?.series.map(({ labels }) => labels.get('worker')),
    ['supervisor'],
  )
  world.desk.take(one.worker, { kind: 'ask', id: 2, page: 'ready' })
  assert.is(pageOf(one, 2)?.text, '')
})

test('a worker that is late is shown with what it had counted the last time: a sum without it looks like a restart', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two, three] = world.workers
    const ask = (id: number) => world.desk.take(one.worker, { kind: 'ask', id, page: 'metrics' })
    ask(1)
    answer(world, one, counted(1))
    answer(world, two, counted(10))
    answer(world, three, counted(100))
    ask(2)
    answer(world, one, counted(2))
    answer(world, two, counted(20))
    clock.wind(999)
    assert.is(sumOn(one, 2), undefined)
    clock.wind(1)
    assert.is(sumOn(one, 2), 122)
    // What comes afterwards is for the next page.
    answer(world, three, counted(200))
    assert.is(one.sent.filter(({ kind }) => kind === 'page').length, 2)
  }))

test('one that has never said anything is left out of the metrics, and named as not ready', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two] = world.workers
    world.ready = [one.worker, two.worker]
    world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
    answer(world, one, counted(1))
    world.desk.take(one.worker, { kind: 'ask', id: 2, page: 'ready' })
    clock.wind(1000)
    assert.is(sumOn(one, 1), 1)
    assert.equal(reasonsOf(one, 2), ['worker 1: has not answered for 1000 ms'])
  }))

test('the readiness that a worker said earlier is not repeated for it: it may have changed', () =>
  withHandClock((clock) => {
    const world = deskOf()
    const [one, two] = world.workers
    world.ready = [one.worker, two.worker]
    world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
    answer(world, two, { families: [], reasons: [] })
    assert.equal(reasonsOf(one, 1), [])
    world.desk.take(one.worker, { kind: 'ask', id: 2, page: 'ready' })
    clock.wind(1000)
    assert.match(reasonsOf(one, 2)?.[0] ?? '', /has not answered/)
  }))

/** The sum on the next page of the only worker, whose own part is 1. */
function nextSum(world: Desk, reader: Scripted, id: number): number | undefined {
  world.desk.take(reader.worker, { kind: 'ask', id, page: 'metrics' })
  answer(world, reader, counted(1))
  return sumOn(reader, id)
}

test('what a worker that has died had counted is not forgotten, and adds up over several deaths', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
  answer(world, one, counted(1))
  answer(world, two, counted(10))
  answer(world, three, counted(100))
  world.ready = [one.worker]
  world.desk.lost(two.worker)
  assert.is(nextSum(world, one, 2), 11)
  world.desk.lost(three.worker)
  assert.is(nextSum(world, one, 3), 111)
  // Its death is told once.
  world.desk.lost(three.worker)
  assert.is(nextSum(world, one, 4), 111)
})

test('a worker that has answered and dies before the page is made counts once, not twice', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'metrics' })
  answer(world, one, counted(1))
  answer(world, two, counted(10))
  world.desk.lost(two.worker)
  answer(world, three, counted(100))
  assert.is(sumOn(one, 1), 111)
})

test('what nobody was shown need not be remembered', () => {
  const world = deskOf()
  const [one, two] = world.workers
  world.ready = [one.worker]
  world.desk.lost(two.worker)
  assert.is(nextSum(world, one, 1), 1)
})

test('a worker that dies while it is asked, or cannot answer, keeps nobody waiting', () => {
  const world = deskOf()
  const [one, two, three] = world.workers
  world.desk.take(one.worker, { kind: 'ask', id: 1, page: 'ready' })
  answer(world, two, because('b'))
  world.desk.lost(three.worker)
  assert.equal(reasonsOf(one, 1), ['b'])
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
