/** One worker as its supervisor sees it: starts it, exchanges messages with it, kills it when it hangs. Never decides whether it is replaced. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Config } from '../../config/schema.ts'
import type { HeldSocket } from '../../handover/held-sockets.ts'
import { descriptorOf } from '../../handover/meeting-point.ts'
import { sendDescriptors } from '../../system/descriptor-mail.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import {
  type CheckedConfig,
  type Configured,
  firstDescriptor,
  mailDescriptor,
  type Order,
  type RestoredCache,
  silenceMsMax,
  type ToSupervisor,
  type ToWorker,
  type WorkerPlan,
  workerVariable,
} from './plan.ts'

/** From the start of a worker to its message "ready". */
const startMsMax = 15_000
/** For reading a configuration, and for applying one, which drains closed listeners. */
const configMsMax = 15_000

export interface WorkerCommand {
  /** Interpreter, its flags, program, arguments. */
  readonly argv: readonly string[]
  readonly number: number
  readonly count: number
  readonly sockets: readonly HeldSocket[]
  /** Variables in addition to this process's own. */
  readonly environment: Readonly<Record<string, string>>
  /** Cache of the predecessor, for the worker's standard input. */
  readonly dump: Buffer | undefined
}

export interface WorkerEvents {
  onReady(restored: RestoredCache): void
  onMessage(message: ToSupervisor): void
  onExit(how: { readonly code: number | null; readonly isHung: boolean }): void
}

export class WorkerProcess {
  readonly number: number
  /** When the worker became ready. */
  readyMs = Number.POSITIVE_INFINITY
  isReady = false
  private readonly child: ChildProcess
  private heardMs = performance.now()
  private isHung = false
  /** Sockets that the worker has. */
  private sockets: readonly HeldSocket[]
  private readonly waiting = new Set<(message: ToSupervisor | undefined) => void>()

  constructor(command: WorkerCommand, events: WorkerEvents) {
    this.number = command.number
    // A copy, because the supervisor's list goes on growing.
    this.sockets = [...command.sockets]
    this.child = start(command)
    this.child.on('message', (message: ToSupervisor) => this.receive(message, events))
    this.child.on('error', () => undefined)
    this.child.once('exit', (code) => {
      for (const tell of this.waiting) tell(undefined)
      events.onExit({ code, isHung: this.isHung })
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined)
  }

  /** Resolves when the worker has obeyed, has ended, or does not answer. */
  async order(order: Order, number = this.number): Promise<void> {
    const isObeyed = (message: ToSupervisor) =>
      message.kind === 'obeyed' && message.order === order ? true : undefined
    const obeyed = this.reply(silenceMsMax, isObeyed)
    this.send({ kind: 'order', order, number })
    await obeyed
  }

  /** @returns undefined when the worker has ended, or does not answer */
  checkConfig(): Promise<CheckedConfig | undefined> {
    const checked = this.reply(configMsMax, (message) =>
      message.kind === 'checked' ? message.result : undefined,
    )
    this.send({ kind: 'check' })
    return checked
  }

  /**
   * @param held all sockets; the worker is sent those that it does not have
   * @returns undefined when the worker has ended, or does not answer
   */
  configure(config: Config, held: readonly HeldSocket[]): Promise<Configured | undefined> {
    const added = held.filter((socket) => !this.sockets.includes(socket))
    const mail = this.child.stdio[mailDescriptor] as Socket
    const fds = added.map(({ fd }) => fd)
    try {
      sendDescriptors(loadSystemCalls(), descriptorOf(mail), fds)
    } catch (error) {
      return Promise.resolve({ ok: false, why: String(error) })
    }
    this.sockets = [...held]
    const configured = this.reply(configMsMax, (message) =>
      message.kind === 'configured' ? message.result : undefined,
    )
    const sockets = added.map(({ kind, wanted, number }) => ({ kind, wanted, number }))
    this.send({ kind: 'configure', config, sockets })
    return configured
  }

  /** Waits for the first message of which `read` returns something. */
  private reply<T>(
    timeoutMs: number,
    read: (message: ToSupervisor) => T | undefined,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => tell(undefined), timeoutMs)
      const tell = (message: ToSupervisor | undefined) => {
        const found = message && read(message)
        if (message !== undefined && found === undefined) return
        clearTimeout(timer)
        this.waiting.delete(tell)
        resolve(found)
      }
      this.waiting.add(tell)
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  gone(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => this.child.once('exit', () => resolve()))
  }

  /** Kills the worker when it hangs; call it a few times a second. */
  watch(nowMs: number): void {
    const limitMs = this.isReady ? silenceMsMax : startMsMax
    if (this.isHung || nowMs - this.heardMs < limitMs) return
    this.isHung = true
    this.kill('SIGKILL')
  }

  private receive(message: ToSupervisor, events: WorkerEvents): void {
    this.heardMs = performance.now()
    for (const tell of this.waiting) tell(message)
    if (message.kind === 'ready') {
      this.isReady = true
      this.readyMs = performance.now()
      events.onReady(message.restored)
    } else events.onMessage(message)
  }
}

function start(command: WorkerCommand): ChildProcess {
  const { argv, number, count, sockets, environment, dump } = command
  const own = sockets.map((socket, i) => ({ ...socket, fd: firstDescriptor + i }))
  const plan: WorkerPlan = { number, count, sockets: own, hasDump: dump !== undefined }
  const [program = process.execPath, ...args] = argv
  const child = spawn(program, args, {
    env: { ...process.env, ...environment, [workerVariable]: JSON.stringify(plan) },
    // 'advanced' carries bytes unchanged.
    serialization: 'advanced',
    stdio: [
      dump === undefined ? 'ignore' : 'pipe',
      'inherit',
      'inherit',
      'ipc',
      'pipe',
      ...sockets.map(({ fd }) => fd),
    ],
  })
  for (const stream of [child.stdin, child.stdio[mailDescriptor]]) {
    stream?.on('error', () => undefined)
  }
  child.stdin?.end(dump)
  return child
}
