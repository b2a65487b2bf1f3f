/** Turns the states of the daemon's parts into one answer for `/ready`. Pure: never looks at a part itself. */

export type PartState =
  | { readonly kind: 'waiting'; readonly for: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'stopping' }

/**
 * @param parts by name, as `udp 127.0.0.1:53` or `self-query`
 * @returns why the daemon is not ready, one line for each part; empty when ready. Without any part it is not ready.
 */
export function reasonsNotReady(parts: ReadonlyMap<string, PartState>): string[] {
  if (parts.size === 0) return ['start: nothing has been started yet']
  const reasons: string[] = []
  for (const [name, state] of parts) {
    const reason = reasonOf(state)
    if (reason !== undefined) reasons.push(`${name}: ${reason}`)
  }
  return reasons
}

function reasonOf(state: PartState): string | undefined {
  switch (state.kind) {
    case 'ready':
      return undefined
    case 'waiting':
      return `waiting for ${state.for}`
    case 'failed':
      return state.why
    case 'stopping':
      return 'stopping'
  }
}

/**
 * Remembers the states of the parts. Once every part that serving needs was ready, `isStarted` stays true: a start-up probe must not
 * fail because of a later failure, nor because of a part that only brings pods here. A restart mends neither.
 */
export class Readiness {
  private readonly parts = new Map<string, PartState>()
  private readonly notForStart: ReadonlySet<string>
  private hasStarted = false

  /** @param notForStart parts that the daemon can serve without */
  constructor(notForStart: readonly string[] = []) {
    this.notForStart = new Set(notForStart)
  }

  set(part: string, state: PartState): void {
    this.parts.set(part, state)
    if (this.reasonsNotStarted().length === 0) this.hasStarted = true
  }

  remove(part: string): void {
    this.parts.delete(part)
  }

  reasons(): string[] {
    return reasonsNotReady(this.parts)
  }

  reasonsNotStarted(): string[] {
    const serving = [...this.parts].filter(([name]) => !this.notForStart.has(name))
    return reasonsNotReady(new Map(serving))
  }

  get isStarted(): boolean {
    return this.hasStarted
  }
}
