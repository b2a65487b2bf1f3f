/**
 * An operation of the operator's API: what one process does, which its colleagues do as well when there are workers. Whoever gets the call
 * over HTTP joins what all have returned.
 */
import type { WorkerLink } from '../workers/link.ts'

export interface Operation<In, Out> {
  readonly name: string
  /** Input and output go from process to process (structured clone). */
  run(input: In): Out | Promise<Out>
}

export interface FromAll<Out> {
  /** Of this process first. */
  readonly outputs: readonly Out[]
  /** Workers that returned nothing in time. */
  readonly missing: number
}

/** Does an operation in all processes. */
export type Everywhere = <In, Out>(
  operation: Operation<In, Out>,
  input: In,
) => Promise<FromAll<Out>>

/** @param link undefined in a process without colleagues */
export function everywhereFor(link: WorkerLink | undefined): Everywhere {
  return async <In, Out>(operation: Operation<In, Out>, input: In) => {
    const others = link?.callOthers(operation.name, input)
    const own = await operation.run(input)
    const { results, missing } = (await others) ?? { results: [], missing: 0 }
    // The colleagues are this same program.
    return { outputs: [own, ...results.map(({ output }) => output as Out)], missing }
  }
}

/** Operations by name, for calls that come from a colleague. */
export class Operations {
  private readonly byName = new Map<string, (input: unknown) => unknown>()

  add<In, Out>(operation: Operation<In, Out>): void {
    // The colleagues are this same program.
    this.byName.set(operation.name, (input) => operation.run(input as In))
  }

  /** @returns undefined when there is no such operation, or it has failed */
  async carryOut(name: string, input: unknown): Promise<unknown> {
    try {
      return await this.byName.get(name)?.(input)
    } catch {
      return undefined
    }
  }
}
