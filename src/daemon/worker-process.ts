/** One worker as its supervisor sees it: started, talked to, watched, ended. Never decides whether there is to be another. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { HeldSocket } from '../handover/held-sockets.ts'
import {
  firstDescriptor,
  type Order,
  type RestoredCache,
  silenceMsMax,
  type ToSupervisor,
  type ToWorker,
  type WorkerPlan,
  workerVariable,
} from './worker-plan.ts'

/** From its start to its first "ready". */
const startMsMax = 15_000

export interface WorkerCommand {
  /** Interpreter, its flags, program, arguments. */
  readonly argv: readonly string[]
  readonly number: number
  readonly count: number
  readonly sockets: readonly HeldSocket[]
  /** Cache of the process before, for its standard input. */
  readonly dump: Buffer | undefined
}

export interface WorkerEvents {
  onReady(restored: RestoredCache): void
  onMessage(message: ToSupervisor): void
  onExit(how: { readonly code: number | null; readonly isHung: boolean }): void
}

export class WorkerProcess {
  readonly number: number
  /** When it began to serve. */
  readyMs = Number.POSITIVE_INFINITY
  isReady = false
  private readonly child: ChildProcess
  private heardMs = performance.now()
  private isHung = false
  private onObeyed: ((order: Order) => void) | undefined

  constructor(command: WorkerCommand, events: WorkerEvents) {
    this.number = command.number
    this.child = start(command)
    this.child.on('message', (message: ToSupervisor) => this.receive(message, events))
    this.child.on('error', () => undefined)
    this.child.once('exit', (code) => events.onExit({ code, isHung: this.isHung }))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined)
  }

  /** Resolves when the worker has done it, or is gone, or does not answer. */
  order(order: Order, number = this.number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, silenceMsMax)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.onObeyed = (obeyed) => {
        if (obeyed === order) done()
      }
      this.child.once('exit', done)
      this.send({ kind: 'order', order, number })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  gone(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => this.child.once('exit', () => resolve()))
  }

  /** Kills it when it hangs; to be called a few times a second. */
  watch(nowMs: number): void {
    const limitMs = this.isReady ? silenceMsMax : startMsMax
    if (this.isHung || nowMs - this.heardMs < limitMs) return
    this.isHung = true
    this.kill('SIGKILL')
  }

  private receive(message: ToSupervisor, events: WorkerEvents): void {
    this.heardMs = performance.now()
    if (message.kind === 'obeyed') this.onObeyed?.(message.order)
    else if (message.kind === 'ready') {
      this.isReady = true
      this.readyMs = performance.now()
      events.onReady(message.restored)
    } else if (message.kind !== 'beat') events.onMessage(message)
  }
}

function start({ argv, number, count, sockets, dump }: WorkerCommand): ChildProcess {
  const own = sockets.map((socket, i) => ({ ...socket, fd: firstDescriptor + i }))
  const plan: WorkerPlan = { number, count, sockets: own, hasDump: dump !== undefined }
  const [program = process.execPath, ...args] = argv
  const child = spawn(program, args, {
    env: { ...process.env, [workerVariable]: JSON.stringify(plan) },
    // 'advanced' carries octets as they are.
    serialization: 'advanced',
    stdio: [
      dump === undefined ? 'ignore' : 'pipe',
      'inherit',
      'inherit',
      'ipc',
      ...sockets.map(({ fd }) => fd),
    ],
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(dump)
  return child
}
