/**
 * A stage that answers from the configuration or from a registry of names, without asking anybody. It lies in one folder with its settings,
 * metrics and tests, and is entered in `settings.ts` and `stages.ts` beside this file. CONTRIBUTING.md has an example.
 */
import type { TtlLimits } from '../core/cache/ttl.ts'
import type { Stage } from '../core/stages/stage.ts'
import type { Family } from '../observe/families/family.ts'
import type { LocalSettings } from './settings.ts'

export interface LocalStage<F extends object = object> extends Stage<F> {
  reconfigure(outlook: LocalOutlook): void
  /** Its metrics; called once. */
  families(): Family[]
}

/** What local stages see of the configuration. */
export interface LocalOutlook {
  readonly settings: LocalSettings
  /** Folded wire names of the cluster domain and of the zones that are configured: they always win over what is local. */
  readonly claimed: readonly Uint8Array[]
  /** Folded wire names of the cluster for which nobody can be asked; empty while somebody can. */
  readonly unserved: readonly Uint8Array[]
  /** `cluster.withoutUpstreams`, where it is not `outside`. */
  readonly unservedRcode: 'nxdomain' | 'refused' | 'servfail'
  /**
   * Text of a file, '' while it cannot be read. When it changes, stages are configured anew.
   * @param reloadSeconds time between two looks at it, 0: it is read once
   */
  readonly textOf: (path: string, reloadSeconds: number) => string
  /** Bounds of the TTLs of a name's zone. @param name folded wire form */
  readonly limitsOf: (name: Buffer, nameBytes: number) => TtlLimits
}
