/** A worker's side of the channel to its supervisor, which Node opens between them. */
import type { Config } from '../../config/schema.ts'
import { HeldSockets } from '../../handover/held-sockets.ts'
import type { SupervisorView } from '../../observe/stats.ts'
import { receiveDescriptors } from '../../system/descriptor-mail.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import {
  beatEveryMs,
  type CheckedConfig,
  type GroupPage,
  mailDescriptor,
  type RestoredCache,
  type SocketName,
  type ToSupervisor,
  type ToWorker,
  type WorkerAnswer,
  type WorkerPage,
  type WorkerPlan,
  type WorkerResult,
  workerVariable,
} from './plan.ts'

/** Longer than the supervisor itself waits (page-desk.ts). */
const answerMsMax = 2000
/** The same for calls (call-desk.ts). */
const resultMsMax = 3000

/** How a worker carries out the supervisor's orders. */
export interface WorkerDuties {
  pause(): void
  resume(): void
  /** Another group of processes serves. */
  retire(): void
  /** Reads the socket of a worker that has died; `drop` leaves it again. */
  adopt(number: number): Promise<void>
  drop(number: number): Promise<void>
  dump(): AsyncIterable<Buffer>
  /** Must not reject. */
  page(page: WorkerPage): Promise<WorkerAnswer | undefined>
  /** A call of the operator's API that another worker got. @returns undefined when it has failed. Must not reject. */
  call(name: string, input: unknown): Promise<unknown>
  /** The supervisor has died. */
  orphaned(): void
}

/** The part of a reload that the process around the daemon does. */
export interface ConfigDuties {
  check(): Promise<CheckedConfig>
  /** @returns settings that wait for the next start. Rejects when it cannot be applied; the old one stays */
  apply(config: Config): Promise<readonly string[]>
}

/** What the other workers returned. */
export interface OtherResults {
  readonly results: readonly WorkerResult[]
  /** Workers that returned nothing; at least one when the supervisor does not answer. */
  readonly missing: number
}

export class WorkerLink {
  readonly plan: WorkerPlan
  readonly held: HeldSockets
  /** As of the supervisor's newest question or answer. */
  view: SupervisorView | undefined
  private readonly waiting = new Map<number, (page: GroupPage) => void>()
  private readonly calling = new Map<number, (results: OtherResults) => void>()
  private duties: WorkerDuties | undefined
  private configDuties: ConfigDuties | undefined
  private beat: NodeJS.Timeout | undefined
  private asked = 0
  private restored: RestoredCache = { entries: 0, isRefused: false }

  constructor(plan: WorkerPlan) {
    this.plan = plan
    this.held = new HeldSockets(loadSystemCalls())
    this.held.adopt(plan.sockets)
  }

  /** @returns undefined in a process that no supervisor started */
  static fromEnvironment(): WorkerLink | undefined {
    const text = process.env[workerVariable]
    if (text === undefined || process.send === undefined) return undefined
    // Written by our own supervisor, which is this same program.
    return new WorkerLink(JSON.parse(text) as WorkerPlan)
  }

  /** Call it before `start`. */
  onConfig(duties: ConfigDuties): void {
    this.configDuties = duties
  }

  start(duties: WorkerDuties): void {
    this.duties = duties
    process.on('message', (message: ToWorker) => {
      this.receive(message).catch((error: unknown) => {
        throw error
      })
    })
    process.on('disconnect', () => duties.orphaned())
    this.beat = setInterval(() => this.send({ kind: 'beat' }), beatEveryMs)
  }

  /** The predecessor's cache, if there is one. */
  async readDump(): Promise<Buffer | undefined> {
    if (!this.plan.hasDump) return undefined
    const pieces: Buffer[] = []
    for await (const piece of process.stdin) pieces.push(piece as Buffer)
    return Buffer.concat(pieces)
  }

  noteRestored(restored: RestoredCache): void {
    this.restored = restored
  }

  ready(): void {
    this.send({ kind: 'ready', restored: this.restored })
  }

  /** Has the supervisor collect a page from all workers. @returns undefined when it does not answer in time */
  ask(page: WorkerPage): Promise<GroupPage | undefined> {
    this.asked += 1
    const id = this.asked
    return new Promise((resolve) => {
      const done = (collected: GroupPage | undefined) => {
        clearTimeout(timer)
        this.waiting.delete(id)
        resolve(collected)
      }
      const timer = setTimeout(() => done(undefined), answerMsMax)
      this.waiting.set(id, done)
      this.send({ kind: 'ask', id, page })
    })
  }

  /** Has all other workers carry out a call of the operator's API. */
  callOthers(name: string, input: unknown): Promise<OtherResults> {
    this.asked += 1
    const id = this.asked
    return new Promise((resolve) => {
      const done = (results: OtherResults) => {
        clearTimeout(timer)
        this.calling.delete(id)
        resolve(results)
      }
      const timer = setTimeout(() => done({ results: [], missing: 1 }), resultMsMax)
      this.calling.set(id, done)
      this.send({ kind: 'call', id, name, input })
    })
  }

  stop(): void {
    clearInterval(this.beat)
    process.removeAllListeners('disconnect')
    if (process.connected) process.disconnect?.()
  }

  private send(message: ToSupervisor): void {
    // The event 'disconnect' reports the end of the supervisor.
    if (process.connected) process.send?.(message, undefined, undefined, ignore)
  }

  private async receive(message: ToWorker): Promise<void> {
    const { duties } = this
    if (duties === undefined) return
    if (message.kind === 'page') {
      this.view = message.view
      this.waiting.get(message.id)?.(message.page)
    } else if (message.kind === 'ask') {
      this.view = message.view
      const answer = await duties.page(message.page)
      this.send({ kind: 'answer', id: message.id, answer })
    } else if (message.kind === 'call') {
      const output = await duties.call(message.name, message.input)
      this.send({ kind: 'result', id: message.id, output })
    } else if (message.kind === 'results') this.calling.get(message.id)?.(message)
    else if (message.kind === 'check') await this.check()
    else if (message.kind === 'configure') await this.configure(message)
    else if (message.order === 'dump') await this.sendDump(duties)
    else {
      await duties[message.order](message.number)
      this.send({ kind: 'obeyed', order: message.order })
    }
  }

  private async check(): Promise<void> {
    const result = await this.configDuties?.check()
    if (result !== undefined) this.send({ kind: 'checked', result })
  }

  private async configure({ config, sockets }: ConfigureMessage): Promise<void> {
    try {
      this.takeSockets(sockets)
      const needsRestart = (await this.configDuties?.apply(config)) ?? []
      this.send({ kind: 'configured', result: { ok: true, needsRestart } })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.send({ kind: 'configured', result: { ok: false, why } })
    }
  }

  /** The descriptors were sent before the message. */
  private takeSockets(names: readonly SocketName[]): void {
    const calls = loadSystemCalls()
    const fds = receiveDescriptors(calls, mailDescriptor, names.length)
    this.held.adopt(fds.flatMap((fd, i) => ({ ...(names[i] as SocketName), fd })))
    if (fds.length !== names.length) {
      throw new Error(`${names.length} sockets were announced, ${fds.length} came`)
    }
  }

  private async sendDump(duties: WorkerDuties): Promise<void> {
    for await (const piece of duties.dump()) {
      // An empty piece means the end.
      if (piece.length > 0) this.send({ kind: 'piece', piece })
    }
    this.send({ kind: 'piece', piece: new Uint8Array(0) })
  }
}

type ConfigureMessage = Extract<ToWorker, { kind: 'configure' }>

function ignore(): void {}
