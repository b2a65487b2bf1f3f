/**
 * Workers for tests: child processes that say and do what a few lines of script tell them. Those of `plainWorker` speak the channel's
 * messages themselves; those of `linkedWorker` have the real link of a worker.
 */
import type { RestoredCache, ToSupervisor } from '../../../src/daemon/workers/plan.ts'
import type { WorkerCommand, WorkerEvents } from '../../../src/daemon/workers/process.ts'

/**
 * @param script JavaScript; `plan`, `send(message)`, `tell(text)` and `ready()` are there, `on(message)` may be set
 * @returns how it is started
 */
export function plainWorker(script = 'ready()'): string[] {
  const source = `
    const plan = JSON.parse(process.env.NEARDNS_WORKER)
    const send = (message) => process.send(message)
    const tell = (text) => send({ kind: 'told', text: String(text) })
    const ready = () => send({ kind: 'ready', restored: { entries: 0, isRefused: false } })
    let on = ({ kind, order, number }) => {
      if (kind !== 'order') return
      tell(order + ' ' + number)
      send({ kind: 'obeyed', order })
    }
    process.on('message', (message) => on(message))
    process.on('disconnect', () => process.exit(0))
    ${script}`
  return [process.execPath, '-e', source]
}

/** @param script TypeScript in a module; `link`, `duties` to be started with, and `tell(text)` are there */
export function linkedWorker(script = 'link.start(duties)\nlink.ready()'): string[] {
  const url = new URL('../../../src/daemon/workers/link.ts', import.meta.url).href
  const source = `
    import { WorkerLink } from ${JSON.stringify(url)}
    const link = WorkerLink.fromEnvironment()
    const tell = (text) => process.send({ kind: 'told', text: String(text) })
    const duties = {
      pause: () => tell('pause'),
      resume: () => tell('resume'),
      retire: () => tell('retire'),
      adopt: async (number) => tell('adopt ' + number),
      drop: async (number) => tell('drop ' + number),
      async *dump() {},
      page: async () => ({ families: [], reasons: [] }),
      call: async (name, input) => [link.plan.number, name, input],
      orphaned: () => process.exit(0),
    }
    ${script}`
  return [process.execPath, '--input-type=module-typescript', '-e', source]
}

export function commandOf(
  argv: readonly string[],
  more: Partial<WorkerCommand> = {},
): WorkerCommand {
  const environment = { NODE_COMPILE_CACHE: '' }
  return { argv, number: 0, count: 1, sockets: [], environment, dump: undefined, ...more }
}

type Exit = Parameters<WorkerEvents['onExit']>[0]

/** What a worker was heard to say. */
export class Heard implements WorkerEvents {
  readonly messages: ToSupervisor[] = []
  readonly restored: RestoredCache[] = []
  readonly exits: Exit[] = []

  onReady(restored: RestoredCache): void {
    this.restored.push(restored)
  }

  onMessage(message: ToSupervisor): void {
    this.messages.push(message)
  }

  onExit(how: Exit): void {
    this.exits.push(how)
  }

  /** What its script told, in order. */
  get told(): string[] {
    return this.messages.flatMap(toldIn)
  }
}

/** What a script told, which is no message of the protocol; nothing in any other message. */
export function toldIn(message: ToSupervisor): string[] {
  const kind: unknown = Reflect.get(message, 'kind')
  return kind === 'told' ? [String(Reflect.get(message, 'text'))] : []
}
