/** The operator's API: all calls, and what of them colleagues have carried out here. */
import { networkInterfaces } from 'node:os'
import type { Config } from '../../config/schema.ts'
import type { AdminCall } from '../../observe/admin-calls.ts'
import type { Log } from '../../observe/log.ts'
import type { DataPath } from '../data-path.ts'
import { apiPlace } from '../pods/api-client.ts'
import { ClientNames, type FindClient, type NameClients } from '../pods/client-names.ts'
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
    const findClient = this.finding(everywhere)
    this.calls = [
      explainCall(path),
      configCall(config),
      ...cacheCalls({ path, nowMs, everywhere }, operations),
      ...liveCalls(
        { flights: path.flights, watch: path.watch, nameClients, findClient },
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

  private naming(everywhere: Everywhere): NameClients {
    const { clientNames } = this
    const ask = this.askingWhoKnows(
      'clientNames',
      everywhere,
      clientNames.namesOf.bind(clientNames),
    )
    return async (clients) => (clients.length === 0 ? [] : ((await ask(clients)) ?? []))
  }

  private finding(everywhere: Everywhere): FindClient {
    const { clientNames } = this
    return this.askingWhoKnows(
      'clientAddresses',
      everywhere,
      clientNames.addressesOf.bind(clientNames),
    )
  }

  /** One process knows the pods: this one, or a colleague. @param run returns undefined where they are not known */
  private askingWhoKnows<In, Out>(
    name: string,
    everywhere: Everywhere,
    run: (input: In) => Out | undefined,
  ): (input: In) => Promise<Out | undefined> {
    const operation: Operation<In, Out | undefined> = { name, run }
    this.operations.add(operation)
    return async (input) => {
      if (!this.config().admin.podNames) return undefined
      const own = run(input)
      if (own !== undefined) return own
      const { outputs } = await everywhere(operation, input)
      return outputs.find((output) => output !== undefined)
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
