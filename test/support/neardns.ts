/**
 * The daemon as a child process, built as for the image, with the Node that runs the tests, from its ready line to its end
 * by SIGTERM. Its log lines are kept for tests to look at.
 */
import { builtProgram } from './built-program.ts'
import { Child, type Exit } from './process.ts'

export interface NeardnsOptions {
  /** Flags after `run`, such as `--listen 127.0.0.1:5353`. */
  readonly args: readonly string[]
  readonly netns?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  /** A command that becomes the one that stands behind it; outside of `netns`, where /sys is another. */
  readonly through?: readonly string[]
  /** A start slower than this is a failure. */
  readonly readyTimeoutMs?: number
}

export interface LogLine {
  readonly level?: number | string
  readonly msg?: string
  readonly [field: string]: unknown
}

export class Neardns {
  readonly child: Child

  private constructor(child: Child) {
    this.child = child
  }

  /** Starts it and waits for its ready line; throws with its last lines when that does not come. */
  static async start(options: NeardnsOptions): Promise<Neardns> {
    const neardns = Neardns.spawn(options)
    try {
      await neardns.child.line(isReadyLine, options.readyTimeoutMs ?? 30_000)
      return neardns
    } catch (error) {
      await neardns.child.stop('SIGKILL')
      throw error
    }
  }

  /** Starts it and waits for nothing: for starts that must fail. */
  static spawn(options: NeardnsOptions): Neardns {
    const { through = [], netns } = options
    const own = [process.execPath, builtProgram(), 'run', ...options.args]
    const inside = netns === undefined ? own : inNetns(netns, own, through.length > 0)
    const [command = '', ...args] = [...through, ...inside]
    const child = new Child(command, args, {
      ...(options.env ? { env: options.env } : {}),
    })
    return new Neardns(child)
  }

  get pid(): number {
    return this.child.pid
  }

  /** Its log so far; lines that are not JSON (a crash) come as `{ msg }`. */
  log(): LogLine[] {
    return this.child.lines.map(parseLine)
  }

  /** Ends it in the orderly way. One that is gone already, or does not end well, is a failure with its last words. */
  async stop(): Promise<Exit> {
    const early = !this.child.running
    const exit = await this.child.stop('SIGTERM', 8000)
    if (early || exit.code !== 0) {
      const how = early ? 'ended on its own' : 'did not end well'
      throw new Error(`neardns ${how} (${exit.code ?? exit.signal}): ${this.child.tail()}`)
    }
    return exit
  }
}

/** @param keepsSys for who reads cgroups: `ip netns exec` mounts a /sys without them */
function inNetns(netns: string, command: readonly string[], keepsSys: boolean): readonly string[] {
  const enter = keepsSys ? ['nsenter', `--net=/run/netns/${netns}`] : ['ip', 'netns', 'exec', netns]
  return [...enter, ...command]
}

function isReadyLine(line: string): boolean {
  const { msg, ...rest } = parseLine(line)
  return typeof msg === 'string' && msg.includes('ready') && 'listening' in rest
}

function parseLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch {
    // Not a log line.
  }
  return { msg: line }
}
