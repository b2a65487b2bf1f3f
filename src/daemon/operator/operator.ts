/** The operator's API: all calls, and what of them colleagues have carried out here. */
import { networkInterfaces } from 'node:os'
import type { Config } from '../../config/schema.ts'
import type { AdminCall } from '../../observe/admin-calls.ts'
import type { Log } from '../../observe/log.ts'
import type { DataPath } from '../data-path.ts'
import { apiPlace } from '../pods/api-client.ts'
import { type Client, ClientNames, type NameClients, type Names } from '../pods/client-names.ts'
import type { WorkerLink } from '../workers/link.ts'
import { cacheCalls } from './cache-calls.ts'
import { configCall } from './config-call.ts'
import { explainCall } from './explain-call.ts'
import { liveCalls } from './live-calls.ts'
import { type Everywhere, everywhereFor, type Operation, Operations } from './operation.ts'
import type { Summary } from './summary.ts'
import { summaryCalls } from './summary-calls.ts'

export interface OperatorParts {
  readonly path: DataPath
  readonly nowMs: () => number
  readonly summary: () => Summary
  /** The one in force. */
  readonly config: () => Config
  /** In a worker: its colleagues. */
  readonly link: WorkerLink | undefined
  readonly log: Log
  readonly facts: { readonly nodeName?: string | undefined }
}

export class Operator {
  readonly calls: readonly AdminCall[]
  private readonly operations = new Operations()
  private readonly config: () => Config
  private readonly clientNames: ClientNames

  constructor({ path, nowMs, link, summary, config, log, facts }: OperatorParts) {
    const everywhere = everywhereFor(link)
    const { operations } = this
    this.config = config
    const place = apiPlace(process.env)
    this.clientNames = new ClientNames({ log, place, nodeName: facts.nodeName, localAddresses })
    const nameClients = this.naming(everywhere)
    this.calls = [
      explainCall(path),
      configCall(config),
      ...cacheCalls({ path, nowMs, everywhere }, operations),
      ...liveCalls(
        { flights: path.flights, watch: path.watch, nameClients },
        everywhere,
        operations,
      ),
      ...summaryCalls({ summary, watch: path.watch, nowMs, nameClients }, everywhere, operations),
    ]
  }

  /** Follows `admin.podNames`, in the one process of a node that looks at its pods. */
  followPods(): void {
    this.clientNames.follow(this.config().admin.podNames)
  }

  /** Looks at pods no more. */
  stop(): void {
    this.clientNames.follow(false)
  }

  /** One process knows the pods: this one, or a colleague. */
  private naming(everywhere: Everywhere): NameClients {
    const { clientNames, operations } = this
    const name: Operation<readonly Client[], Names | undefined> = {
      name: 'clientNames',
      run: (clients) => clientNames.namesOf(clients),
    }
    operations.add(name)
    return async (clients) => {
      if (!this.config().admin.podNames || clients.length === 0) return []
      const own = clientNames.namesOf(clients)
      if (own !== undefined) return own
      const { outputs } = await everywhere(name, clients)
      return outputs.find((names) => names !== undefined) ?? []
    }
  }

  /** Does what a colleague got a call for. @returns undefined when it cannot be done */
  carryOut(name: string, input: unknown): Promise<unknown> {
    return this.operations.carryOut(name, input)
  }
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address))
}
