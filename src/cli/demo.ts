/**
 * `neardns demo`: a cluster's DNS, the Internet and pods in one process, the real daemon between them, and an account of
 * where each question went. No network, no root, no file. Keeps serving until it is interrupted.
 */
import { styleText } from 'node:util'
import { type Paint, plain, type Style } from '../demo/account.ts'
import { tellStory } from '../demo/story.ts'
import { openTheatre, type StartDaemon, type Theatre } from '../demo/theatre.ts'
import { BindError } from '../system/bind.ts'
import { readArguments } from './command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from './io.ts'

const defaultPort = 5353

export interface DemoHooks {
  readonly startDaemon: StartDaemon
  /** Whether standard output takes colours. */
  readonly isColoured: boolean
}

/** Runs until SIGINT or SIGTERM; with `--once` only until the account is told. */
export async function demo(
  argv: readonly string[],
  io: CliIo,
  { startDaemon, isColoured }: DemoHooks,
): Promise<number> {
  const read = readArguments('demo', argv)
  if (!read.ok) return usageError(io, read.why)
  const port = read.number('--port') ?? defaultPort
  const isOnce = read.has('--once')
  const ending = new AbortController()
  // From the start, so that an early interrupt also ends cleanly.
  const interrupted = interruption(ending)
  try {
    const theatre = await openTheatre(startDaemon, port)
    await play(theatre, io, { isOnce, isColoured, interrupted, signal: ending.signal })
    return ExitCode.ok
  } catch (error) {
    if (!(error instanceof BindError)) throw error
    io.stderr(`neardns: ${error.message}\n`)
    return ExitCode.failed
  } finally {
    // Gives the signals their usual meaning back.
    ending.abort()
  }
}

interface PlayOptions {
  readonly isOnce: boolean
  readonly isColoured: boolean
  /** Resolves when `signal` is aborted. */
  readonly interrupted: Promise<void>
  readonly signal: AbortSignal
}

async function play(
  theatre: Theatre,
  io: CliIo,
  { isOnce, isColoured, interrupted, signal }: PlayOptions,
): Promise<void> {
  const { stage } = theatre
  const print = (text: string) => io.stdout(`${text}\n`)
  try {
    print(opening(stage))
    await tellStory(stage, { print, paint: isColoured ? terminalPaint : plain, signal })
    if (isOnce || signal.aborted) return
    print(closing(stage.port))
    await interrupted
  } finally {
    await theatre.close()
  }
}

/** The first SIGINT or SIGTERM aborts `ending`; a second one has its usual effect. */
function interruption(ending: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const interrupt = () => ending.abort()
    process.once('SIGINT', interrupt)
    process.once('SIGTERM', interrupt)
    ending.signal.addEventListener('abort', () => {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
      resolve()
    })
  })
}

function opening({ port, coredns, outside, search }: Theatre['stage']): string {
  return `neardns demo: everything below happens in this process, on 127.0.0.1.

  pod      in namespace shop, ndots:${search.ndots}
           search ${search.domains.join(' ')}
  neardns  127.0.0.1:${port}, UDP and TCP: the real daemon, default settings
  CoreDNS  127.0.0.1:${coredns.port}: a stand-in, as the kubernetes plugin
  outside  127.0.0.1:${outside.port}: a stand-in for the resolvers of the node

"sent" counts the queries that a stand-in received for the question. One look-up
was made before the first scene, so that it does not show the cost of starting.
`
}

function closing(port: number): string {
  const dig = `dig @127.0.0.1 -p ${port}`
  return `Still serving. Try, in another terminal:

  ${dig} payments.shop.svc.cluster.local
  ${dig} SRV _http._tcp.payments.shop.svc.cluster.local +tcp
  ${dig} example.com MX
  ${dig} example.com HTTPS
  ${dig} -x 10.96.12.7

Ctrl-C ends it.`
}

const styles: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  title: 'bold',
  faint: 'gray',
  good: 'green',
  warn: 'yellow',
  bad: 'red',
}

const terminalPaint: Paint = (style, text) =>
  styleText(styles[style], text, { validateStream: false })
