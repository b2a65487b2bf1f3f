/**
 * What a scenario is. Its name is the key of its bound (bounds.ts) and of its row in the results. Never runs one.
 */

import type { Way } from './deployment.ts'
import type { Lab } from './lab.ts'

export interface Scenario {
  readonly name: string
  /** A row's text. */
  readonly what: string
  /** What is applied before: neardns with the ClusterIP taken over when nothing is said. */
  readonly setting?: Way | 'chart' | 'nothing'
  /** The addresses under load; both when nothing is said. */
  readonly addresses?: readonly string[]
  /** Why it cannot be run here. */
  readonly obstacle?: (lab: Lab) => string | undefined
  readonly before?: (lab: Lab) => Promise<void>
  /** Happens three seconds after the load has begun. */
  readonly act: (lab: Lab) => Promise<void>
  /** How long the load goes on after it. */
  readonly settleSeconds?: number
  /** @returns what was not as it must be, beside lost queries */
  readonly after?: (lab: Lab) => Promise<readonly string[]>
}
