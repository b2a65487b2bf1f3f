/**
 * Commands of the cluster's harness: run to their end with both outputs apart, or started to outlive this process. Never through a shell.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface RunOptions {
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const timeoutMsDefault = 120_000
/** A probe is often kubectl, which costs a tenth of a second of CPU. */
const pollMs = 250

/** Runs a command to its end. Does not judge the exit code. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? timeoutMsDefault,
    killSignal: 'SIGKILL',
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A command that does not read its input is no fault.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  return new Promise((resolve) => {
    const done = (code: number | null, more = '') =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString() + more,
      })
    child.once('error', (error) => done(null, String(error)))
    child.once('close', (code) => done(code))
  })
}

/** Runs a command that must succeed. @returns what it printed to standard output */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code === 0) return stdout
  const said = (stderr + stdout).trim().split('\n').slice(-15).join('\n')
  throw new Error(`${argv.join(' ')}: exit ${code}\n${said}`)
}

/** Starts a command in a session of its own, with its output added to a file; it goes on when this process ends. @returns its pid */
export function startDetached(argv: readonly string[], logFile: string): number {
  const [command = '', ...args] = argv
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  if (child.pid === undefined) throw new Error(`${command} did not start`)
  return child.pid
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Asks again until `probe` is true. */
export async function waitFor(
  what: string,
  seconds: number,
  probe: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadlineMs = performance.now() + seconds * 1000
  while (!(await probe())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${seconds} s`)
    await pause(pollMs)
  }
}
