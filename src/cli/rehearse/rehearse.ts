/**
 * `neardns rehearse`: what neardns would do for the pods of this node, told from their own DNS packets. Intercepts nothing, asks nobody and
 * changes nothing on the node. Ends after `--for`, or with Ctrl-C, and reports then.
 */
import { readFile } from 'node:fs/promises'
import { readCapture } from '../../rehearsal/capture-file.ts'
import type { Report } from '../../rehearsal/report.ts'
import { PacketSocket } from '../../system/packet-socket.ts'
import { loadSystemCalls } from '../../system/system-calls.ts'
import { readArguments } from '../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { reportRefusal } from '../operator/admin-client.ts'
import { whyUnreadable } from '../read-config.ts'
import { reportProblems } from '../validate.ts'
import { type Instance, makeInstance } from './instance.ts'
import { type RehearseOptions, readOptions } from './options.ts'
import { hasFaults, reportLines } from './report-text.ts'

export async function rehearse(argv: readonly string[], io: CliIo): Promise<number> {
  const ending = new AbortController()
  const end = () => ending.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    return await rehearseUntil(argv, io, ending.signal)
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

/** @param signal ends the capture early */
export async function rehearseUntil(
  argv: readonly string[],
  io: CliIo,
  signal: AbortSignal,
): Promise<number> {
  const read = readArguments('rehearse', argv)
  if (!read.ok) return usageError(io, read.why)
  const wanted = await readOptions(read)
  if (!wanted.ok)
    return 'why' in wanted ? usageError(io, wanted.why) : reportProblems(io, wanted.problems)
  const { options } = wanted
  const instance = makeInstance(options)
  try {
    const captured = await capture(options, instance, io, signal)
    if ('why' in captured) return reportRefusal(io, captured)
    return print(captured, options, instance, io)
  } finally {
    instance.stop()
  }
}

function print(
  report: Report,
  { isJson }: RehearseOptions,
  { trust }: Instance,
  io: CliIo,
): number {
  const { level, reasons } = trust
  const whole = { ...report, trust: { level, reasons } }
  if (isJson) io.stdout(`${JSON.stringify(whole, undefined, 2)}\n`)
  else
    io.stdout(
      reportLines(whole)
        .map((line) => `${line}\n`)
        .join(''),
    )
  return hasFaults(report) ? ExitCode.failed : ExitCode.ok
}

/** Why there is nothing to report. */
interface Refusal {
  readonly why: string
  readonly isMisuse: boolean
}

async function capture(
  options: RehearseOptions,
  { rehearsal }: Instance,
  io: CliIo,
  signal: AbortSignal,
): Promise<Report | Refusal> {
  const { servers, isCache, file } = options
  if (file === undefined) return await listen(options, rehearsal, io, signal)
  const bytes = await readFile(file).catch(whyUnreadable)
  const why =
    typeof bytes === 'string' ? bytes : readCapture(bytes, (packet) => rehearsal.take(packet))
  if (why !== undefined) return { why: `--read ${file}: ${why}`, isMisuse: true }
  return rehearsal.end({ servers, isCache, kernel: undefined })
}

async function listen(
  { servers, isCache, forMs }: RehearseOptions,
  rehearsal: Instance['rehearsal'],
  io: CliIo,
  signal: AbortSignal,
): Promise<Report | Refusal> {
  let socket: PacketSocket
  try {
    socket = new PacketSocket(loadSystemCalls())
  } catch (error) {
    return { why: socketFailure(error), isMisuse: false }
  }
  io.stderr(
    `neardns: listening beside ${servers.join(', ')} for ${forMs / 1000} s; Ctrl-C reports at once\n`,
  )
  try {
    await listenUntil(socket, rehearsal, AbortSignal.any([signal, AbortSignal.timeout(forMs)]))
    return rehearsal.end({ servers, isCache, kernel: socket.counts() })
  } finally {
    await socket.close()
  }
}

/** An exception must not leave the callback of the socket: it is thrown from here. */
async function listenUntil(
  socket: PacketSocket,
  rehearsal: Instance['rehearsal'],
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const take = (packet: Parameters<typeof rehearsal.take>[0]) => {
    try {
      rehearsal.take(packet)
    } catch (error) {
      reject(error)
    }
  }
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  socket.start(take)
  await promise
  socket.drain(take)
}

function socketFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EPERM')
    return 'no packet socket: the capability NET_RAW is missing (securityContext: capabilities: add: [NET_RAW])'
  return error instanceof Error ? error.message : String(error)
}
