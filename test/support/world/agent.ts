/**
 * A test's hand inside a network namespace: a Node child that lives there and does on request what the test process
 * cannot do from outside: ask a server, run a load, be the Kubernetes API. One request at a time or several at once.
 */
import type { Server } from '../client/dns-client.ts'
import type { QueryOptions, ReadMessage, TypeName } from '../client/dns-message.ts'
import type { LoadResult, LoadSpec } from '../client/load.ts'
import type { TcpLoadResult, TcpLoadSpec } from '../client/tcp-load.ts'
import { Child } from '../process.ts'
import type { KubeObject, ResourceName } from './kube-world.ts'
import type { Netns } from './netns.ts'

export interface AskSpec {
  readonly server: Server
  readonly name: string
  readonly type: TypeName
  readonly options?: QueryOptions & { readonly tcp?: boolean; readonly timeoutMs?: number }
}

/** One change of the stand-in's world: the object is put there unless it is to be deleted. */
export interface KubeChange {
  readonly resource: ResourceName
  readonly object: KubeObject
  readonly isDeleted?: boolean
}

/** What an agent can do, by name: arguments and result cross the process border as plain data. */
export interface AgentCommands {
  /** Asks once; `reply` is missing when none came in time. */
  ask: { argument: AskSpec; result: { reply?: ReadMessage; tookMs: number } }
  load: { argument: LoadSpec; result: LoadResult }
  tcpLoad: { argument: TcpLoadSpec; result: TcpLoadResult }
  /** Starts a Kubernetes API stand-in with a made-up world and says where it listens. */
  kubeApi: { argument: { namespaces: number; port: number }; result: { url: string } }
  /** Adds objects to the stand-in's world, or takes them away, in this order. */
  kubeChange: { argument: { changes: readonly KubeChange[] }; result: null }
  /** Fetches a URL: metrics and readiness of servers in the namespace. */
  fetch: { argument: { url: string }; result: { status: number; body: string } }
}

export interface AgentRequest<C extends keyof AgentCommands = keyof AgentCommands> {
  readonly number: number
  readonly command: C
  readonly argument: AgentCommands[C]['argument']
}

export type AgentReply =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: string }

export class Agent {
  readonly #child: Child
  readonly #open = new Map<
    number,
    { resolve: (result: never) => void; reject: (error: Error) => void }
  >()
  #counter = 0

  constructor(netns?: Netns) {
    const main = new URL('./agent-main.ts', import.meta.url).pathname
    this.#child = new Child(process.execPath, [main], { netns: netns?.name, ipc: true })
    this.#child.process.on('message', (reply: AgentReply) => this.#settle(reply))
    this.#child.process.on('close', () => {
      for (const { reject } of this.#open.values())
        reject(new Error(`agent ended: ${this.#child.tail()}`))
    })
  }

  async call<C extends keyof AgentCommands>(
    command: C,
    argument: AgentCommands[C]['argument'],
  ): Promise<AgentCommands[C]['result']> {
    this.#counter += 1
    const request: AgentRequest<C> = { number: this.#counter, command, argument }
    return await new Promise((resolve, reject) => {
      this.#open.set(request.number, { resolve, reject })
      this.#child.process.send(request)
    })
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGKILL')
  }

  #settle(reply: AgentReply): void {
    const waiting = this.#open.get(reply.number)
    this.#open.delete(reply.number)
    if ('error' in reply) waiting?.reject(new Error(reply.error))
    else waiting?.resolve(reply.result as never)
  }
}
