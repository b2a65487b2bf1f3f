/** The dnstap of a configuration: opened, exchanged and closed as `log.dnstap` changes, beside what else wants to see single queries. */
import { hostname } from 'node:os'
import { dnstapReaderAt } from '../../config/log-settings.ts'
import type { Config } from '../../config/schema.ts'
import type { DnstapStats } from '../../observe/stats.ts'
import type { QuerySampler } from '../../pipeline/replies.ts'
import { DnstapTap } from './tap.ts'

const off: DnstapStats = { sent: 0, dropped: 0, isConnected: false }

export class Tapping {
  private readonly written: () => Buffer
  private tap: DnstapTap | undefined
  private basis = ''
  /** Of taps that are closed. */
  private before = off

  /** @param written the reply that was written last, from its first byte */
  constructor(written: () => Buffer) {
    this.written = written
  }

  get stats(): DnstapStats {
    const { before } = this
    const { sent, dropped, isConnected } = this.tap?.counts ?? off
    return { sent: before.sent + sent, dropped: before.dropped + dropped, isConnected }
  }

  /** Follows the configuration. @returns what is called for each reply: the tap, `other`, both in one, or nothing */
  beside(
    other: QuerySampler | undefined,
    { log: { dnstap }, listen }: Pick<Config, 'log' | 'listen'>,
  ): QuerySampler | undefined {
    const basis = JSON.stringify([dnstap, listen])
    if (basis !== this.basis) {
      this.stop()
      this.basis = basis
      const context = {
        identity: dnstap.identity ?? hostname(),
        version: dnstap.version ?? 'neardns',
        hasMessages: dnstap.messages,
        written: this.written,
        listen,
      }
      this.tap =
        dnstap.socket === null
          ? undefined
          : new DnstapTap(dnstapReaderAt(dnstap.socket), dnstap.queueBytesMax, context)
    }
    const { tap } = this
    if (tap === undefined || other === undefined) return tap ?? other
    return {
      record: (arrival, reply, facts) => {
        tap.record(arrival, reply, facts)
        other.record(arrival, reply, facts)
      },
    }
  }

  stop(): void {
    this.before = { ...this.stats, isConnected: false }
    this.tap?.stop()
    this.tap = undefined
    this.basis = ''
  }
}
