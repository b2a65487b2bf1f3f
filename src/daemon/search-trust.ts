/** Chooses the trust level of the search path, from the operator's setting or from CoreDNS's own Corefile. Pure. */

import type { Config } from '../config/schema.ts'
import type { TrustLevel } from '../core/search/trust.ts'
import { parseCorefile } from '../corefile/corefile.ts'
import { judgeCorefile } from '../corefile/trust.ts'

export interface TrustVerdict {
  readonly level: TrustLevel
  readonly multicluster: boolean
  /** Why a Corefile that was read is not trusted, one line each. */
  readonly reasons: readonly string[]
}

/** @param corefile text of CoreDNS's Corefile; undefined when there is none to read */
export function judgeTrust(config: Config, corefile: string | undefined): TrustVerdict {
  const { trust, multicluster } = config.searchPath
  if (trust !== 'auto') return { level: trust, multicluster, reasons: [] }
  if (corefile === undefined || corefile.trim() === '') {
    return { level: 'cautious', multicluster, reasons: [] }
  }
  const parsed = parseCorefile(corefile)
  if (!parsed.ok) return { level: 'cautious', multicluster, reasons: parsed.problems.map(lineText) }
  const verdict = judgeCorefile(parsed, config.clusterDomain)
  return verdict.trusted
    ? { level: 'verified', multicluster: multicluster || verdict.multicluster, reasons: [] }
    : { level: 'cautious', multicluster, reasons: verdict.reasons.map(lineText) }
}

function lineText({ line, message }: { line: number; message: string }): string {
  return `line ${line}: ${message}`
}
