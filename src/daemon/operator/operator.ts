/** The operator's API: all calls, and what of them colleagues have carried out here. */
import type { Config } from '../../config/schema.ts'
import type { AdminCall } from '../../observe/admin-calls.ts'
import type { DataPath } from '../data-path.ts'
import type { WorkerLink } from '../workers/link.ts'
import { cacheCalls } from './cache-calls.ts'
import { configCall } from './config-call.ts'
import { explainCall } from './explain-call.ts'
import { liveCalls } from './live-calls.ts'
import { everywhereFor, Operations } from './operation.ts'
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
}

export class Operator {
  readonly calls: readonly AdminCall[]
  private readonly operations = new Operations()

  constructor({ path, nowMs, link, summary, config }: OperatorParts) {
    const everywhere = everywhereFor(link)
    const { operations } = this
    this.calls = [
      explainCall(path),
      configCall(config),
      ...cacheCalls({ path, nowMs, everywhere }, operations),
      ...liveCalls(path, everywhere, operations),
      ...summaryCalls({ summary, watch: path.watch, nowMs }, everywhere, operations),
    ]
  }

  /** Does what a colleague got a call for. @returns undefined when it cannot be done */
  carryOut(name: string, input: unknown): Promise<unknown> {
    return this.operations.carryOut(name, input)
  }
}
