/**
 * Real resolver code of other people as a child that looks up one name after another in one process, so that a test can
 * send tens of thousands of look-ups through it. The programs are in programs/lookup-loop*; all speak the same lines.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildC, buildGo, buildJava } from '../build.ts'
import type { Need } from '../needs.ts'
import { Child } from '../process.ts'

export const clientKinds = ['glibc', 'musl', 'go', 'c-ares', 'jdk', 'jndi'] as const
export type ClientKind = (typeof clientKinds)[number]

/** What a machine must have to run all of them. */
export const clientNeeds: readonly Need[] = ['gcc', 'musl-gcc', 'go', 'c-ares', 'java']

/** What the client made of one name. */
export interface LookupResult {
  readonly name: string
  /** `none`: no such name, or no address. `fail`: anything else that went wrong. */
  readonly verdict: 'ok' | 'none' | 'fail'
  /** Without repetitions, in order of text; IPv6 in its short form. */
  readonly addresses: readonly string[]
  /** What the client said about a failure. */
  readonly why: string
  /** Measured inside the client. */
  readonly tookUs: number
  /** Before and after, on this process's clock (`performance.now`). */
  readonly startMs: number
  readonly endMs: number
}

/** Above every client's own patience. */
const lookupMsMax = 40_000

/** Whether A and AAAA come from a socket each, so that nobody can tell that they belong together (docs/search-path.md, Limits). */
export function asksFromTwoSockets(kind: ClientKind): boolean {
  return kind === 'go'
}

export class LookupLoop {
  readonly kind: ClientKind
  private readonly child: Child
  private readonly onLine: ((line: string) => void)[] = []

  private constructor(kind: ClientKind, child: Child) {
    this.kind = kind
    this.child = child
    if (child.process.stdout) {
      createInterface({ input: child.process.stdout }).on('line', (line) =>
        this.onLine.shift()?.(line),
      )
    }
  }

  /** @param netns the pod; its resolv.conf is what the client goes by */
  static async start(kind: ClientKind, netns: string): Promise<LookupLoop> {
    const [command = '', ...args] = await commands[kind]()
    return new LookupLoop(kind, new Child(command, args, { netns }))
  }

  /** One at a time. */
  async lookup(name: string): Promise<LookupResult> {
    const startMs = performance.now()
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.kind} did not answer for ${name}: ${this.child.tail()}`)),
        lookupMsMax,
      )
      this.onLine.push((text) => {
        clearTimeout(timer)
        resolve(text)
      })
      this.child.process.stdin?.write(`${name}\n`)
    })
    return readResult(line, startMs)
  }

  async stop(): Promise<void> {
    await this.child.stop('SIGKILL')
  }
}

const programs = join(import.meta.dirname, '../programs')
/** The JDK keeps what it has found, and also what it has not; these are for look-ups that really ask. */
const withoutCache = ['-Dsun.net.inetaddr.ttl=0', '-Dsun.net.inetaddr.negative.ttl=0']
/** A test's JVM need not take a quarter of the machine. */
const smallJvm = ['-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

const commands: Readonly<Record<ClientKind, () => Promise<readonly string[]>>> = {
  glibc: async () => [await buildC(join(programs, 'lookup-loop.c'), 'gcc')],
  musl: async () => [await buildC(join(programs, 'lookup-loop.c'), 'musl-gcc')],
  go: async () => [await buildGo(join(programs, 'lookup-loop.go'))],
  'c-ares': async () => [await buildC(join(programs, 'lookup-loop-cares.c'), 'gcc', ['cares'])],
  jdk: async () => await java(),
  jndi: async () => await java('jndi'),
}

async function java(...args: readonly string[]): Promise<readonly string[]> {
  const classPath = await buildJava(join(programs, 'lookup-loop.java'))
  return ['java', ...smallJvm, ...withoutCache, '-cp', classPath, 'LookupLoop', ...args]
}

function readResult(line: string, startMs: number): LookupResult {
  const [name = '', tookUs = '', verdict = '', ...rest] = line.split(' ')
  if (verdict !== 'ok' && verdict !== 'none' && verdict !== 'fail')
    throw new Error(`odd line: ${line}`)
  const isFound = verdict === 'ok'
  return {
    name,
    verdict,
    addresses: isFound ? [...new Set(rest.map(shortAddress))].toSorted() : [],
    why: isFound ? '' : rest.join(' '),
    tookUs: Number(tookUs),
    startMs,
    endMs: performance.now(),
  }
}

/** Java writes all eight groups. */
function shortAddress(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}
