/**
 * For the tests of the daemon's parts: checked configurations, a log that keeps its lines, a clock that is wound by hand, and a trusted
 * Corefile.
 */
import { mock } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { answerSelfCheck } from '../../src/core/question/self-check.ts'
import { type CorefileSource, corefileAlone } from '../../src/corefile/files.ts'
import { DataPath, type Outlook } from '../../src/daemon/data-path.ts'
import { planRouting } from '../../src/daemon/routing.ts'
import { judgeTrust } from '../../src/daemon/search-trust.ts'
import { selfIdentity } from '../../src/daemon/self-query.ts'
import type { Log, LogFields, LogLevel } from '../../src/observe/log.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'

/** Settings as they would stand in the file, through the checks that a file goes through. */
export function configOf(settings: object = {}): Config {
  const loaded = loadConfig({ file: { name: 'test.yaml', text: JSON.stringify(settings) } })
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  return loaded.config
}

export interface KeptLine {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

/** Keeps lines instead of writing them. Nothing is held back: `limited` notes what it was asked. */
export class KeptLog implements Log {
  readonly lines: KeptLine[] = []
  readonly limits: [key: string, perMs: number][] = []
  /** What `limited` says from now on. */
  heldBack: number | undefined = 0
  level: LogLevel = 'info'
  linesLost = 0
  debug = (fields: LogFields, message: string) => this.keep('debug', fields, message)
  info = (fields: LogFields, message: string) => this.keep('info', fields, message)
  warn = (fields: LogFields, message: string) => this.keep('warn', fields, message)
  error = (fields: LogFields, message: string) => this.keep('error', fields, message)
  plain = (text: string) => this.keep('info', {}, text)

  limited(key: string, perMs: number): number | undefined {
    this.limits.push([key, perMs])
    return this.heldBack
  }

  setLevel(level: LogLevel): void {
    this.level = level
  }

  async flush(): Promise<void> {}

  flushSync(): void {}

  messages(level?: string): string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map(({ message }) => message)
  }

  private keep(level: string, fields: LogFields, message: string): void {
    this.lines.push({ level, message, fields })
  }
}

/** What a data path is built from, with one listening address. */
export function outlookOf(settings: object, corefile?: CorefileSource): Outlook {
  const config = configOf(settings)
  const routing = planRouting(config, [], [], [])
  const zones = routing.zones.map(({ zone }) => zone)
  return {
    config,
    routing,
    own: [],
    counters: new QueryCounters(['dns://127.0.0.1:53'], zones),
    trust: judgeTrust(config, corefile),
  }
}

/** A data path on a clock that the test sets. Its exchange is to be stopped. */
export function dataPathOf(
  settings: object,
  { log = new KeptLog(), nowMs = () => performance.now() } = {},
): DataPath {
  return new DataPath(outlookOf(settings), { log }, { nowMs })
}

export interface HandClock {
  /** Runs what is due until then. */
  wind(ms: number): void
}

/** Timers and `performance.now()` stand still while `body` runs, until they are wound on. */
export async function withHandClock(
  body: (clock: HandClock) => Promise<void> | void,
): Promise<void> {
  // Whole, so that sums of milliseconds are what they say.
  let nowMs = Math.ceil(performance.now())
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  mock.method(performance, 'now', () => nowMs)
  try {
    await body({
      wind(ms) {
        // One by one, so that whoever is called reads the time at which it was due.
        for (let left = ms; left > 0; left -= 1) {
          nowMs += Math.min(1, left)
          mock.timers.tick(Math.min(1, left))
        }
      },
    })
  } finally {
    mock.timers.reset()
    mock.restoreAll()
  }
}

/** Lets what the kernel has for us come in, also while timers stand still. */
export async function whenTrue(what: string, probe: () => boolean): Promise<void> {
  const endMs = Date.now() + 15_000
  while (!probe()) {
    if (Date.now() > endMs) throw new Error(`${what}: not within 15 s`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const trustedText = `.:53 {
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 30
  }
  forward . /etc/resolv.conf
  reload
}
`

/** `template` may answer any name: nothing is proven any more. */
export const trustedCorefile = corefileAlone(trustedText)

export const doubtedCorefile = corefileAlone(
  trustedText.replace('  reload', '  template IN A .\n  reload'),
)

/** What this process's pipeline answers to a check of its sockets. */
export function ownAnswer(query: Uint8Array, identity = selfIdentity()): Buffer {
  const out = Buffer.alloc(512)
  return out.subarray(0, answerSelfCheck(query, identity, out))
}
