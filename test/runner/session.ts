/**
 * One run of the tests: what was registered, what was run, what failed. A failure is, besides a failed test:
 * a file that cannot be loaded or has no test; a suite without a test, without `.run()`, or of which fewer
 * tests ran than were registered (`.only` does that); a throw in `before` or `after`; a test, hook or import
 * over its time limit; an unhandled rejection or uncaught exception; an exit in the middle.
 * Never prints the summary (summary.ts does).
 */
import { cpuMs } from './cpu-time.ts'
import { newLeaks, openHandles } from './open-handles.ts'
import { emptyReport, type Failure, type Report } from './report.ts'
import { Watchdog } from './watchdog.ts'

/** What uvu's queued function resolves to: errors or true, passed, skipped, total. */
export type SuiteResult = [errors: string | true, passed: number, skipped: number, total: number]

/** A suite as a test file made it. */
export class SuiteRecord {
  registered = 0
  readonly skipped: string[] = []
  readonly name: string
  readonly file: string
  readonly failures: Failure[] = []
  execute: (() => Promise<SuiteResult>) | undefined

  constructor(file: string, name: string) {
    this.file = file
    this.name = name
  }

  failed(title: string, error: Error, isHook: boolean): void {
    // uvu prints the stack of a failed test itself; of a failed hook it says nothing.
    if (isHook) process.stdout.write(`\n${error.stack ?? error.message}\n`)
    this.failures.push({ where: `${this.file} › ${this.name} › ${title}`, what: error.message })
  }

  queue(execute: () => Promise<SuiteResult>): void {
    this.execute = execute
  }
}

/** The state behind `session`; there is one per process. */
export class Session {
  private report = emptyReport()
  private suites: SuiteRecord[] = []
  private file = ''
  private label = ''
  private limitMs = 0
  private limitMsDefault = 0
  private ended = false
  private isLane = false
  private readonly watchdog = new Watchdog()

  /** @param isLane somebody else adds up and prints the closing line */
  begin(limitMsDefault: number, isLane = false): void {
    this.limitMsDefault = limitMsDefault
    this.isLane = isLane
    process.on('unhandledRejection', (reason) => this.stray('unhandled rejection', reason))
    process.on('uncaughtException', (error) => this.stray('uncaught exception', error))
    process.on('exit', () => this.exitedEarly())
  }

  async runFile(file: string, url: string): Promise<void> {
    const before = openHandles()
    const [startedMs, startedCpuMs] = [performance.now(), cpuMs()]
    this.file = file
    this.suites = []
    this.limitMs = this.limitMsDefault
    process.stdout.write(`${file}\n`)
    try {
      const loaded: { testTimeoutMs?: unknown } = await this.limit('loading', () => import(url))
      if (typeof loaded.testTimeoutMs === 'number') this.limitMs = loaded.testTimeoutMs
      for (const suite of this.suites) await this.runSuite(suite)
      this.judgeFile()
    } catch (error) {
      process.stdout.write(`${error instanceof Error ? error.stack : error}\n`)
      this.fail(file, `could not be loaded: ${text(error)}`)
    }
    await this.settle()
    this.report.leaks.push(...(await newLeaks(before)).map((leak) => `${leak} (${file})`))
    this.report.files.push({
      label: file,
      tookMs: Math.round(performance.now() - startedMs),
      cpuMs: Math.round(cpuMs() - startedCpuMs),
    })
    this.file = ''
  }

  /** @throws when `body` does, or after the time limit of the file; what `body` does later is ignored. */
  async limit<R>(label: string, body: () => R | Promise<R>): Promise<R> {
    const { limitMs } = this
    const startedMs = performance.now()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`timed out after ${limitMs} ms`)), limitMs)
    })
    this.label = label
    this.watchdog.expect(`${this.file} › ${label}`, limitMs, this.isLane ? undefined : this.report)
    try {
      return await Promise.race([Promise.resolve().then(body), timeout])
    } finally {
      clearTimeout(timer)
      this.watchdog.done()
      this.label = ''
      this.report.slow.push({
        label: `${this.file} › ${label}`,
        tookMs: Math.round(performance.now() - startedMs),
      })
    }
  }

  openSuite(name: string): SuiteRecord {
    const suite = new SuiteRecord(this.file, name)
    this.suites.push(suite)
    return suite
  }

  isCurrent(suite: SuiteRecord): boolean {
    return this.suites.includes(suite)
  }

  fail(where: string, what: string): void {
    process.stdout.write(`FAIL ${where}: ${what}\n`)
    this.report.failures.push({ where, what })
  }

  /** Rejections surface one turn of the loop after their cause; two turns keep them with their file. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** What there is to tell since the last call. */
  takeReport(): Report {
    const { report } = this
    this.report = emptyReport()
    return report
  }

  /** Ends the process, whatever is still open. */
  end(code: number): void {
    this.ended = true
    process.exit(code)
  }

  private async runSuite(suite: SuiteRecord): Promise<void> {
    const where = `${suite.file} › ${suite.name}`
    if (suite.skipped.length > 0) {
      this.report.skips.push({ file: suite.file, titles: suite.skipped })
    }
    if (suite.execute === undefined) {
      return this.fail(where, `${suite.registered} tests registered but .run() is missing`)
    }
    if (suite.registered + suite.skipped.length === 0)
      return this.fail(where, 'suite without a test')
    try {
      const [errors, passed, , total] = await suite.execute()
      if (errors !== true) process.stdout.write(`\n${errors}\n`)
      this.report.passed += passed
      this.report.failures.push(...suite.failures)
      const silent = suite.registered - passed - suite.failures.length
      if (silent > 0) this.fail(where, `${silent} of ${suite.registered} tests did not run`)
      if (total > suite.registered)
        this.fail(where, `${total} tests ran, ${suite.registered} known`)
    } catch (error) {
      this.report.failures.push(...suite.failures)
      this.fail(where, text(error))
    }
  }

  private judgeFile(): void {
    if (this.suites.length === 0) this.fail(this.file, 'file without a test')
  }

  private stray(kind: string, reason: unknown): void {
    process.stdout.write(`\n${reason instanceof Error ? reason.stack : text(reason)}\n`)
    const where = [this.file || 'after the last file', this.label].filter((part) => part !== '')
    this.fail(where.join(' › '), `${kind}: ${text(reason)}`)
  }

  private exitedEarly(): void {
    if (this.ended) return
    this.fail([this.file, this.label].join(' › '), 'the process exits in the middle of the run')
    const { passed, failures } = this.report
    if (!this.isLane) process.stdout.write(`${passed} passed, ${failures.length} failed\n`)
    process.exitCode = 1
  }
}

function text(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The run of this process. */
export const session = new Session()
