/** Keeps the trust level of the cluster domain up to date with CoreDNS's Corefile (docs/search-path.md, SP-15). */
import type { Config } from '../config/schema.ts'
import type { CorefileSource } from '../corefile/files.ts'
import type { Log } from '../observe/log.ts'
import { judgeTrust, type TrustVerdict } from './search-trust.ts'

/** The kubelet delivers a changed ConfigMap within 90 s, CoreDNS's `reload` loads it within 45 s; the rest is slack. */
const trustDelayMs = 180_000

export class CorefileTrust {
  verdict: TrustVerdict
  private readonly log: Log
  /** CoreDNS's Corefile, when there is one to read. */
  private source: CorefileSource | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(config: Config, source: CorefileSource | undefined, log: Log) {
    this.source = source
    this.log = log
    this.verdict = judgeTrust(config, source)
  }

  /** The file, or one that it names, has changed. @param onAdopted called when the new text counts */
  use(source: CorefileSource, config: Config, onAdopted: () => void): void {
    clearTimeout(this.timer)
    const isMoreTrusted = judgeTrust(config, source).level === 'verified'
    // Distrust counts at once. Trust waits until every CoreDNS pod has received and loaded the file that is visible here.
    const adopt = () => {
      this.source = source
      onAdopted()
    }
    this.timer = setTimeout(adopt, isMoreTrusted ? trustDelayMs : 0)
  }

  /** Judges anew, by the configuration in force. */
  judge(config: Config): void {
    const before = JSON.stringify(this.verdict)
    this.verdict = judgeTrust(config, this.source)
    const { level, reasons } = this.verdict
    if (JSON.stringify(this.verdict) !== before || reasons.length > 0) {
      this.log.info({ trust: level, reasons }, 'search path: how far the cluster domain is trusted')
    }
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
