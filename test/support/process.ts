/**
 * Child processes of tests: started (in a network namespace if wanted), their lines collected in bounded
 * memory, waited for by what they print, ended by pid. Whatever is still alive when the test process ends is
 * killed, so that a failed test leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const linesKept = 5000
const alive = new Set<ChildProcess>()
let sweeping = false

export interface SpawnOptions {
  /** Name of a network namespace (`ip netns`). */
  readonly netns?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Opens a message channel to a Node child. */
  readonly ipc?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Child {
  readonly process: ChildProcess
  /** Lines of stdout and stderr, oldest first; the oldest fall out beyond 5000. */
  readonly lines: string[] = []
  readonly exited: Promise<Exit>
  readonly #name: string
  #exit: Exit | undefined
  #watchers = new Set<() => void>()

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.#name = command
    // `ip netns exec` replaces itself by the command, so the pid is the command's.
    const whole = options.netns
      ? ['ip', 'netns', 'exec', options.netns, command, ...args]
      : [command, ...args]
    this.process = spawn(whole[0] ?? command, whole.slice(1), {
      env: { ...process.env, ...options.env },
      ...(options.cwd ? { cwd: options.cwd } : {}),
      stdio: ['pipe', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    })
    sweepAtExit()
    alive.add(this.process)
    this.#collect(this.process.stdout)
    this.#collect(this.process.stderr)
    // A write into a child that has just died must not end the tests.
    this.process.stdin?.on('error', () => undefined)
    this.exited = new Promise((resolve) => {
      const done = (exit: Exit) => {
        alive.delete(this.process)
        this.#exit = exit
        this.#wake()
        resolve(exit)
      }
      this.process.once('error', (error) => {
        this.lines.push(String(error))
        done({ code: null, signal: null })
      })
      this.process.once('close', (code, signal) => done({ code, signal }))
    })
  }

  get pid(): number {
    const pid = this.process.pid
    if (pid === undefined) throw new Error(`${this.#name} did not start: ${this.lines.join('\n')}`)
    return pid
  }

  get running(): boolean {
    return this.#exit === undefined
  }

  /** The first line from `fromIndex` on that `wanted` accepts. Rejects when the child ends or time is up. */
  async line(wanted: (line: string) => boolean, timeoutMs: number, fromIndex = 0): Promise<string> {
    const deadlineMs = performance.now() + timeoutMs
    for (;;) {
      const found = this.lines.slice(fromIndex).find(wanted)
      if (found !== undefined) return found
      if (this.#exit) throw new Error(`${this.#name} ended (${this.#exit.code}): ${this.tail()}`)
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0)
        throw new Error(`${this.#name} did not say it in ${timeoutMs} ms: ${this.tail()}`)
      await this.#change(leftMs)
    }
  }

  /** Asks it to end; kills it when it has not after `timeoutMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 6000): Promise<Exit> {
    if (this.#exit) return this.#exit
    this.process.kill(signal)
    const timer = setTimeout(() => this.process.kill('SIGKILL'), timeoutMs)
    const exit = await this.exited
    clearTimeout(timer)
    return exit
  }

  tail(lines = 15): string {
    return this.lines.slice(-lines).join('\n')
  }

  #collect(stream: NodeJS.ReadableStream | null): void {
    if (!stream) return
    createInterface({ input: stream }).on('line', (line) => {
      this.lines.push(line)
      if (this.lines.length > linesKept) this.lines.shift()
      this.#wake()
    })
  }

  #wake(): void {
    for (const wake of this.#watchers) wake()
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#watchers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, timeoutMs)
      this.#watchers.add(wake)
    })
  }
}

/** Runs a command to its end and returns what it printed. Does not judge the exit code. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly timeoutMs?: number; readonly stdin?: string } = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = new Child(command, args, options)
  child.process.stdin?.end(options.stdin ?? '')
  const timer = setTimeout(() => child.process.kill('SIGKILL'), options.timeoutMs ?? 20_000)
  const { code } = await child.exited
  clearTimeout(timer)
  return { code, output: child.lines.join('\n') }
}

/** Runs a command that must succeed. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly timeoutMs?: number; readonly stdin?: string } = {},
): Promise<string> {
  const { code, output } = await runToEnd(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}: ${output}`)
  return output
}

/** Asks `probe` again every `everyMs` until it is true. */
export async function until(
  what: string,
  probe: () => Promise<boolean> | boolean,
  { timeoutMs = 5000, everyMs = 20 } = {},
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await probe())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

function sweepAtExit(): void {
  if (sweeping) return
  sweeping = true
  process.on('exit', () => {
    for (const child of alive) child.kill('SIGKILL')
  })
}
