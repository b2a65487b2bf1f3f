/**
 * A child `nft -i` that owns an nftables table (`flags owner`): the kernel removes the table when the child's netlink
 * socket closes, whatever ended it. The child reads its commands from a pipe that only we hold, so it ends with us.
 * Each line is one transaction; with --echo every element that was added comes back as a line, which is the receipt.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Ran } from './run-program.ts'

/** An `nft` that says nothing for so long is replaced. */
const answerWithinMs = 2000

interface Waiting {
  readonly isAnswer: (output: string) => boolean
  readonly resolve: (ran: Ran) => void
  readonly timer: NodeJS.Timeout
}

export class OwnedTable {
  /** Called once when the child has ended, unless by `close`. */
  onLost: (why: string) => void = () => {}
  private readonly child: ChildProcess
  private readonly queue: (() => void)[] = []
  private waiting: Waiting | undefined
  private output = ''
  private errors = ''
  private isClosed = false
  private isMissing = false

  constructor(program = 'nft') {
    this.child = spawn(program, ['--interactive', '--echo'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    })
    this.child.stdin?.on('error', () => undefined)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.hear(text, ''))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.hear('', text))
    this.child.once('error', (error) => {
      this.isMissing = 'code' in error && error.code === 'ENOENT'
      this.end(error.message)
    })
    this.child.once('close', (code, signal) => this.end(`nft ended (${signal ?? code})`))
    process.prependListener('uncaughtExceptionMonitor', this.onCrash)
    // It must not keep a daemon alive that has nothing else to do.
    this.child.unref()
  }

  /** The way is open before the process has said what happened and has ended, which takes tenths of a second on a busy machine. */
  private readonly onCrash = (): void => {
    this.child.kill('SIGKILL')
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  /** Adds what `text` says and waits for nft to print it back. */
  add(text: string): Promise<Ran> {
    return this.ask(text, (output) => /^add /m.test(output))
  }

  /** For what prints nothing back: lists the table after it. After a failure two complaints may come: close the child. */
  change(text: string, table: string): Promise<Ran> {
    return this.ask(`${text}\nlist table inet ${table}`, (output) => /^}$/m.test(output))
  }

  /** `list table inet NAME`; fails when there is none. */
  list(table: string): Promise<Ran> {
    return this.ask(`list table inet ${table}`, (output) => /^}$/m.test(output))
  }

  /** The kernel removes the table. */
  async close(): Promise<void> {
    this.isClosed = true
    process.off('uncaughtExceptionMonitor', this.onCrash)
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    this.child.ref()
    this.child.stdin?.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), answerWithinMs)
    await ended
    clearTimeout(timer)
  }

  /** One question at a time: the answers carry no number. */
  private ask(text: string, isAnswer: (output: string) => boolean): Promise<Ran> {
    return new Promise((resolve) => {
      const start = () => {
        if (this.isClosed || this.child.exitCode !== null) {
          resolve(failure('nft has ended', this.isMissing))
          this.next()
          return
        }
        this.output = ''
        this.errors = ''
        const timer = setTimeout(() => this.settle(failure('no answer', false)), answerWithinMs)
        this.waiting = { isAnswer, resolve, timer }
        this.child.stdin?.write(`${text}\n`)
      }
      this.queue.push(start)
      if (this.queue.length === 1) start()
    })
  }

  private hear(output: string, errors: string): void {
    this.output += output
    this.errors += errors
    const { waiting } = this
    if (waiting === undefined) return
    // The last line of a complaint underlines what is meant.
    if (/^Error:[\s\S]*\^/m.test(this.errors) || /^netlink: Error/m.test(this.errors)) {
      this.settle(failure(this.errors, false))
    } else if (waiting.isAnswer(this.output)) {
      this.settle({ ok: true, stdout: this.output, stderr: '', isMissing: false })
    }
  }

  private settle(ran: Ran): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    clearTimeout(waiting.timer)
    waiting.resolve(ran)
    if (ran.stderr === 'no answer') this.child.kill('SIGKILL')
    this.next()
  }

  private next(): void {
    this.queue.shift()
    this.queue[0]?.()
  }

  private end(why: string): void {
    this.settle(failure(this.errors || why, this.isMissing))
    if (this.isClosed) return
    this.isClosed = true
    process.off('uncaughtExceptionMonitor', this.onCrash)
    this.onLost(this.errors.trim() || why)
  }
}

function failure(stderr: string, isMissing: boolean): Ran {
  return { ok: false, stdout: '', stderr, isMissing }
}
