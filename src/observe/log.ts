/**
 * The log: JSON lines on stdout, text at a terminal. The only owner of pino, which formats them. A line costs 5-11 us, so packets are logged only if a setting
 * asks for it, and then only a sample of them (`query-log.ts`).
 *
 * Traps of pino 10.4, and how this file avoids them:
 * - Transports start a worker thread (30-50 MB). None is used.
 * - Its own destination can block the event loop or the exit. `line-writer.ts` is used instead and says how.
 * - It escapes only control characters below 0x20. DEL, C1 and the Unicode line separators are escaped here.
 */
import { type Level, type Logger, pino } from 'pino'
import { LineWriter } from './line-writer.ts'
import { terminalLine } from './terminal-line.ts'

export type LogLevel = Level | 'silent'
/** Without the keys that every line has already: a second one would make two values of one key. */
export type LogFields = Readonly<Record<string, unknown>> & {
  readonly [Key in 'level' | 'time' | 'msg']?: never
}

/** Keys of rate-limited lines that are remembered. Beyond that the oldest key is forgotten, and its line may be logged again early. */
const limitedKeysMax = 1000

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Writes a line as it is where lines of level info are written. @param text without a line end or control characters */
  plain(text: string): void
  /**
   * Whether a repeated line may be written now: once per key and `perMs`.
   * @returns the number of lines held back since the last one that was written, or undefined if this line is to be held back
   */
  limited(key: string, perMs: number): number | undefined
  setLevel(level: LogLevel): void
  /** Resolves when everything is written; gives up after half a second if stdout is not read. For an orderly end. */
  flush(): Promise<void>
  /** Writes the rest synchronously, within half a second. Nothing can be logged afterwards. For a crash. */
  flushSync(): void
  /** Lines dropped because stdout did not accept them. */
  readonly linesLost: number
}

export interface LogOptions {
  readonly level: LogLevel
  /** The worker's number, written in each line. */
  readonly worker?: number
  /** Descriptor to write to; tests pass their own. */
  readonly fd?: number
  /** Text for a person in place of JSON, and whether in colours. */
  readonly terminal?: { readonly isColoured: boolean } | undefined
  /** Monotonic milliseconds, for `limited`. */
  readonly nowMs?: () => number
}

export function createLog({
  level,
  worker,
  fd = 1,
  terminal,
  nowMs = () => performance.now(),
}: LogOptions): Log {
  const output = new LineWriter(fd)
  const logger = pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line) =>
        output.write(
          terminal === undefined ? escapeLine(line) : terminalLine(line, terminal.isColoured),
        ),
    },
  )
  return new PinoLog(logger, output, nowMs)
}

class PinoLog implements Log {
  private readonly logger: Logger
  private readonly output: LineWriter
  private readonly nowMs: () => number
  private readonly limits = new Map<string, { untilMs: number; heldBack: number }>()

  constructor(logger: Logger, output: LineWriter, nowMs: () => number) {
    this.logger = logger
    this.output = output
    this.nowMs = nowMs
  }

  debug(fields: LogFields, message: string): void {
    this.logger.debug(fields, message)
  }

  info(fields: LogFields, message: string): void {
    this.logger.info(fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.logger.warn(fields, message)
  }

  error(fields: LogFields, message: string): void {
    this.logger.error(fields, message)
  }

  plain(text: string): void {
    if (this.logger.isLevelEnabled('info')) this.output.write(`${text}\n`)
  }

  limited(key: string, perMs: number): number | undefined {
    const nowMs = this.nowMs()
    const known = this.limits.get(key)
    if (known && nowMs < known.untilMs) {
      known.heldBack++
      return undefined
    }
    this.limits.delete(key)
    this.limits.set(key, { untilMs: nowMs + perMs, heldBack: 0 })
    const oldest = this.limits.size > limitedKeysMax ? this.limits.keys().next().value : undefined
    if (oldest !== undefined) this.limits.delete(oldest)
    return known?.heldBack ?? 0
  }

  setLevel(level: LogLevel): void {
    this.logger.level = level
  }

  flush(): Promise<void> {
    return this.output.flush()
  }

  flushSync(): void {
    this.output.flushSync()
  }

  get linesLost(): number {
    return this.output.linesLost
  }
}

const unsafe = /[\u007f-\u009f\u2028\u2029]/
const unsafeAll = new RegExp(unsafe, 'g')

/** These characters can occur only inside JSON strings, where their escape means the same. */
function escapeLine(line: string): string {
  if (!unsafe.test(line)) return line
  return line.replace(
    unsafeAll,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
