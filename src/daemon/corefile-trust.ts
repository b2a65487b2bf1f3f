/** How far the cluster domain is trusted, kept up to date with CoreDNS's Corefile as it changes. */
import type { Config } from '../config/schema.ts'
import type { Log } from '../observe/log.ts'
import { judgeTrust, type TrustVerdict } from './search-trust.ts'

/** kubelet brings a changed ConfigMap within 90 s, CoreDNS's `reload` loads it within 45 s; the rest is slack. */
const trustDelayMs = 180_000

export class CorefileTrust {
  verdict: TrustVerdict
  private readonly log: Log
  /** Text of CoreDNS's Corefile, when there is one to read. */
  private corefile: string | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(config: Config, corefile: string | undefined, log: Log) {
    this.corefile = corefile
    this.log = log
    this.verdict = judgeTrust(config, corefile)
  }

  /** The file has changed. @param onAdopted called when the new text counts */
  use(text: string, config: Config, onAdopted: () => void): void {
    clearTimeout(this.timer)
    const isMoreTrusted = judgeTrust(config, text).level === 'verified'
    // Contradiction counts at once. Trust has to wait until every CoreDNS pod has got and loaded the file that we see already.
    const adopt = () => {
      this.corefile = text
      onAdopted()
    }
    this.timer = setTimeout(adopt, isMoreTrusted ? trustDelayMs : 0)
  }

  /** Judges anew, by the configuration in force. */
  judge(config: Config): void {
    const before = JSON.stringify(this.verdict)
    this.verdict = judgeTrust(config, this.corefile)
    const { level, reasons } = this.verdict
    if (JSON.stringify(this.verdict) !== before || reasons.length > 0) {
      this.log.info({ level, reasons }, 'search path: how far the cluster domain is trusted')
    }
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
