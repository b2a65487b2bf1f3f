/** Chooses the trust level of the search path, from the operator's setting or from CoreDNS's own Corefile. Pure. */

import type { Config } from '../config/schema.ts'
import type { TrustLevel } from '../core/search/trust.ts'
import { parseCorefile } from '../corefile/corefile.ts'
import type { CorefileProblem } from '../corefile/directive.ts'
import type { CorefileSource } from '../corefile/files.ts'
import { judgeCorefile } from '../corefile/trust.ts'

export interface TrustVerdict {
  readonly level: TrustLevel
  readonly multicluster: boolean
  /** Why a Corefile that was read is not trusted, one line each. */
  readonly reasons: readonly string[]
}

/** @param source CoreDNS's Corefile; undefined when there is none to read */
export function judgeTrust(config: Config, source: CorefileSource | undefined): TrustVerdict {
  const { trust, multicluster } = config.searchPath
  if (trust !== 'auto') return { level: trust, multicluster, reasons: [] }
  if (source === undefined || source.text.trim() === '') {
    return { level: 'cautious', multicluster, reasons: [] }
  }
  const parsed = parseCorefile(source.text, source.files)
  if (!parsed.ok) return { level: 'cautious', multicluster, reasons: parsed.problems.map(lineText) }
  const verdict = judgeCorefile(parsed, config.clusterDomain, source.files)
  return verdict.trusted
    ? { level: 'verified', multicluster: multicluster || verdict.multicluster, reasons: [] }
    : { level: 'cautious', multicluster, reasons: verdict.reasons.map(lineText) }
}

function lineText({ file, line, message }: CorefileProblem): string {
  return `${file === undefined ? '' : `${file}, `}line ${line}: ${message}`
}
