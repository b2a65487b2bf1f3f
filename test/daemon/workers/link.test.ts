/*
 * Goal: a worker does what its supervisor says, says when it is done, and is heard of all the time; without a supervisor it ends. Method: the
 * real link in a child process, the real supervisor's side of the channel here.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WorkerLink } from '../../../src/daemon/workers/link.ts'
import { silenceMsMax, type ToSupervisor } from '../../../src/daemon/workers/plan.ts'
import { type WorkerCommand, WorkerProcess } from '../../../src/daemon/workers/process.ts'
import { HeldSockets } from '../../../src/handover/held-sockets.ts'
import type { SupervisorView } from '../../../src/observe/stats.ts'
import { loadSystemCalls } from '../../../src/system/system-calls.ts'
import { overlapping } from '../../support/lab/overlap.ts'
import { until } from '../../support/process.ts'
import { configOf } from '../support.ts'
import { commandOf, Heard, linkedWorker } from './scripted-worker.ts'

const suiteOf = suite('daemon/workers/link')
const test = overlapping(suiteOf)

interface Started {
  readonly worker: WorkerProcess
  readonly heard: Heard
}

/** Runs a worker with a script of its own while `body` runs. */
async function withWorker(
  script: string | undefined,
  body: (started: Started) => Promise<void>,
  more: Partial<WorkerCommand> = {},
): Promise<void> {
  const heard = new Heard()
  const worker = new WorkerProcess(commandOf(linkedWorker(script), more), heard)
  try {
    await until('ready', () => worker.isReady || heard.exits.length > 0, { timeoutMs: 30_000 })
    await body({ worker, heard })
  } finally {
    worker.kill('SIGKILL')
    await worker.gone()
  }
}

function told({ heard }: Started, count: number): Promise<void> {
  return until(`${count} texts`, () => heard.told.length >= count, { timeoutMs: 20_000 })
}

function kinds({ heard }: Started): ToSupervisor['kind'][] {
  return heard.messages.map(({ kind }) => kind).filter((kind) => kind !== 'beat')
}

test('a process that no supervisor has started has no link', () => {
  delete process.env['NEARDNS_WORKER']
  assert.is(WorkerLink.fromEnvironment(), undefined)
})

test('a variable without a channel is not enough: somebody has copied the environment', async () => {
  await withWorker(
    `import { spawnSync } from 'node:child_process'
     const text = 'import { WorkerLink } from ' + JSON.stringify(${JSON.stringify(linkUrl())}) +
       '\\nconsole.log(WorkerLink.fromEnvironment() === undefined)'
     const args = ['--input-type=module-typescript', '-e', text]
     const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
     tell(process.env.NEARDNS_WORKER.length > 0 && stdout.trim())
     link.start(duties); link.ready()`,
    async (started) => {
      await told(started, 1)
      assert.equal(started.heard.told, ['true'])
    },
  )
})

function linkUrl(): string {
  return new URL('../../../src/daemon/workers/link.ts', import.meta.url).href
}

test('a worker is heard of before it serves, and often enough never to be taken for one that hangs', () =>
  withWorker(
    'link.start(duties); setTimeout(() => link.ready(), 1200)',
    async ({ worker, heard }) => {
      const beats = () => heard.messages.filter(({ kind }) => kind === 'beat').length
      assert.ok(beats() >= 1, 'silent while it starts')
      const before = beats()
      const startMs = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      const tookMs = performance.now() - startMs
      assert.ok(beats() - before >= 2, `${beats() - before} beats in ${tookMs} ms`)
      worker.watch(performance.now())
      assert.ok(silenceMsMax > 1500)
      assert.equal(heard.exits, [])
    },
  ))

test('an order is obeyed in its duty, with the number it is about, and reported when that is done', () =>
  withWorker(
    `duties.adopt = async (number) => {
       await new Promise((resolve) => setTimeout(resolve, 200))
       tell('adopted ' + number)
     }
     link.start(duties); link.ready()`,
    async (started) => {
      const { worker, heard } = started
      for (const order of ['pause', 'resume', 'retire', 'drop'] as const)
        await worker.order(order, 4)
      await worker.order('adopt', 2)
      assert.equal(heard.told, ['pause', 'resume', 'retire', 'drop 4', 'adopted 2'])
    },
  ))

test('the cache goes in pieces, none of them empty but the last, which is the end', () =>
  withWorker(
    `duties.dump = async function* () {
       yield Buffer.from('one')
       yield Buffer.alloc(0)
       yield Buffer.from([0, 255])
     }
     link.start(duties); link.ready()`,
    async (started) => {
      const { worker, heard } = started
      worker.send({ kind: 'order', order: 'dump', number: 0 })
      const pieces = () =>
        heard.messages.flatMap((message) => (message.kind === 'piece' ? [message.piece] : []))
      await until('the end', () => pieces().some(({ length }) => length === 0))
      assert.equal(
        pieces().map((piece) => Buffer.from(piece).toString('latin1')),
        ['one', '\0\xff', ''],
      )
    },
  ))

const view: SupervisorView = {
  workers: { wanted: 2, ready: 1, restarts: { ended: 0, killed: 0, hung: 0 } },
  handover: {
    counts: {
      ...{ followed: 0, 'handed-over': 0, failed: 0, stranger: 0, resumed: 0 },
      'cache-refused': 0,
    },
    entriesRestored: 0,
  },
  reload: { succeeded: 0, failed: 0, isLastGood: true, appliedSeconds: 0, hash: '' },
}

test("the worker's share of a page is sent under the number of the question, and the view of the group has come before", () =>
  withWorker(
    `duties.page = async (page) => ({ families: [], reasons: [page + ' of ' + link.view.workers.wanted] })
     link.start(duties); link.ready()`,
    async ({ worker, heard }) => {
      worker.send({ kind: 'ask', id: 41, page: 'metrics', view })
      worker.send({ kind: 'ask', id: 42, page: 'ready', view })
      const answers = () => heard.messages.filter(({ kind }) => kind === 'answer')
      await until('answered', () => answers().length === 2)
      const of = (page: string) => ({ families: [], reasons: [`${page} of 2`] })
      assert.equal(answers(), [
        { kind: 'answer', id: 41, answer: of('metrics') },
        { kind: 'answer', id: 42, answer: of('ready') },
      ])
    },
  ))

test('each question gets its own page, in whatever order they come, and the newest view of the group', () =>
  withWorker(
    `link.start(duties); link.ready()
     const [one, two] = [link.ask('metrics'), link.ask('ready')]
     tell('first ' + (await one).text)
     tell('second ' + (await two).text + ' of ' + link.view.workers.wanted)`,
    async (started) => {
      const { worker, heard } = started
      const asked = () =>
        heard.messages.flatMap((message) => (message.kind === 'ask' ? [message] : []))
      await until('asked', () => asked().length === 2)
      assert.equal(
        asked().map(({ page }) => page),
        ['metrics', 'ready'],
      )
      for (const { id, page } of asked().toReversed()) {
        worker.send({ kind: 'page', id, page: { text: `of ${page}`, reasons: [] }, view })
      }
      // Nobody has asked this.
      worker.send({ kind: 'page', id: 999, page: { text: '', reasons: [] }, view })
      await told(started, 2)
      assert.equal(heard.told, ['first of metrics', 'second of ready of 2'])
    },
  ))

test('a supervisor that does not answer costs a page two seconds, and the parts of the others', () =>
  withWorker(
    `link.start(duties); link.ready()
     const startMs = performance.now()
     const page = await link.ask('ready')
     tell([page === undefined, performance.now() - startMs >= 1990, link.view === undefined])`,
    async (started) => {
      await told(started, 1)
      assert.equal(started.heard.told, ['true,true,true'])
    },
  ))

test('a configuration is checked and applied by whoever runs the daemon; what waits for a restart is told', () =>
  withWorker(
    `link.onConfig({
       check: async () => ({ ok: false, problems: [{ where: 'f:1:2', path: 'a', message: 'm' }] }),
       apply: async (config) => [String(config.cache.entriesMax)],
     })
     link.start(duties); link.ready()`,
    async ({ worker }) => {
      assert.equal(await worker.checkConfig(), {
        ok: false,
        problems: [{ where: 'f:1:2', path: 'a', message: 'm' }],
      })
      const config = configOf({ cache: { entriesMax: 777 } })
      assert.equal(await worker.configure(config, []), { ok: true, needsRestart: ['777'] })
    },
  ))

test('one that cannot be applied is told with its reason, and the worker goes on', () =>
  withWorker(
    `link.onConfig({
       check: async () => undefined,
       apply: () => Promise.reject(new Error('no such address')),
     })
     link.start(duties); link.ready()`,
    async ({ worker, heard }) => {
      assert.equal(await worker.configure(configOf(), []), { ok: false, why: 'no such address' })
      await worker.order('pause')
      assert.equal(heard.exits, [])
    },
  ))

test('the sockets of the start and those that come later are held under their names', async () => {
  const held = new HeldSockets(loadSystemCalls())
  held.forget(held.obtainBoth({ address: '127.0.0.1', port: 0, family: 4 }))
  const first = [...held.all]
  held.forget(held.obtainBoth({ address: '127.0.0.2', port: 0, family: 4 }))
  const script = `
    import { fstatSync } from 'node:fs'
    const names = () => link.held.all
      .map(({ kind, wanted, fd }) => kind + ' ' + wanted + ' ' + fstatSync(fd).isSocket())
    link.onConfig({ check: async () => undefined, apply: async () => names() })
    link.start(duties); link.ready()`
  await withWorker(
    script,
    async ({ worker }) => {
      const result = await worker.configure(configOf(), held.all)
      assert.equal(result?.ok && result.needsRestart, [
        'tcp 127.0.0.1:0 true',
        'udp 127.0.0.1:0 true',
        'tcp 127.0.0.2:0 true',
        'udp 127.0.0.2:0 true',
      ])
    },
    { sockets: first },
  )
  held.close()
})

test('sockets that were announced and did not come: refused, before anything is applied', () =>
  withWorker(
    `link.onConfig({ check: async () => undefined, apply: async () => { tell('applied'); return [] } })
     link.start(duties); link.ready()`,
    async (started) => {
      const { worker, heard } = started
      const sockets = [{ kind: 'udp', wanted: '127.0.0.2:0', number: 0 }] as const
      worker.send({ kind: 'configure', config: configOf(), sockets })
      await until('refused', () => kinds(started).includes('configured'))
      const message = heard.messages.find(({ kind }) => kind === 'configured')
      assert.equal(message?.kind === 'configured' && message.result, {
        ok: false,
        why: '1 sockets were announced, 0 came',
      })
      assert.equal(heard.told, [])
    },
  ))

test('the cache of the process before is read whole, and what became of it is told with ready', () =>
  withWorker(
    `const dump = await link.readDump()
     link.noteRestored({ entries: dump.length, isRefused: dump.at(-1) !== 255 })
     link.start(duties); link.ready()`,
    async ({ heard }) => {
      assert.equal(heard.restored, [{ entries: 300_000, isRefused: false }])
    },
    { dump: Buffer.alloc(300_000, 255) },
  ))

test('without a cache nothing is waited for on standard input', () =>
  withWorker('tell(await link.readDump()); link.start(duties); link.ready()', async (started) => {
    assert.equal(
      [started.heard.told, started.heard.restored],
      [['undefined'], [{ entries: 0, isRefused: false }]],
    )
  }))

test('a worker whose supervisor has died is told once, and can end in order', () =>
  withWorker(
    `import { writeSync } from 'node:fs'
     duties.orphaned = () => setTimeout(() => process.exit(9), 100)
     link.start(duties); link.ready()`,
    async ({ worker, heard }) => {
      disconnect(worker)
      await worker.gone()
      assert.equal(heard.exits, [{ code: 9, isHung: false }])
    },
  ))

/** What the kernel does to the channel of a supervisor that dies. */
function disconnect(worker: WorkerProcess): void {
  const child: unknown = Reflect.get(worker, 'child')
  if (typeof child !== 'object' || child === null) throw new Error('no child process')
  const end: unknown = Reflect.get(child, 'disconnect')
  if (typeof end === 'function') end.call(child)
}

test('a worker that ends by itself is no orphan: its process has nothing left to do', () =>
  withWorker(
    `duties.orphaned = () => process.exit(9)
     link.start(duties); link.ready()
     setTimeout(() => link.stop(), 50)`,
    async ({ worker, heard }) => {
      await worker.gone()
      assert.equal(heard.exits, [{ code: 0, isHung: false }])
    },
  ))

test('a call of a colleague is carried out, and one of its own comes back with what the others returned', () =>
  withWorker(
    `link.start(duties); link.ready()
     const { results, missing } = await link.callOthers('x', { a: 1 })
     tell(JSON.stringify(results) + missing)`,
    async (started) => {
      const { worker, heard } = started
      const asked = () => heard.messages.find(({ kind }) => kind === 'call')
      await until('a call', () => asked() !== undefined, { timeoutMs: 20_000 })
      const call = asked()
      assert.ok(call?.kind === 'call' && call.name === 'x')
      const results = [{ worker: 1, output: 'b' }]
      worker.send({ kind: 'results', id: call?.kind === 'call' ? call.id : 0, results, missing: 2 })
      worker.send({ kind: 'call', id: 9, name: 'y', input: [2] })
      await told(started, 1)
      assert.equal(heard.told, ['[{"worker":1,"output":"b"}]2'])
      const returned = () => heard.messages.find(({ kind }) => kind === 'result')
      await until('a result', () => returned() !== undefined, { timeoutMs: 20_000 })
      assert.equal(returned(), { kind: 'result', id: 9, output: [0, 'y', [2]] })
    },
  ))

suiteOf.run()
