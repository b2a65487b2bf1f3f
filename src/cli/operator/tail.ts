/** `neardns tail`: queries as they come, sampled where there are too many. Ends with Ctrl-C, or after `--count` lines. */

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { typeText } from '../../core/type-text.ts'
import type { TailLine } from '../../observe/live/query-watch.ts'
import { type Arguments, readArguments } from '../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { readTypedName } from '../typed-name.ts'
import { type AdminPlace, askAdmin, readPlace, reportRefusal } from './admin-client.ts'
import { forms } from './forms.ts'
import { clientText, localTime, valueIn } from './reply.ts'

/** Between two looks. */
const everyMs = 250

export async function tail(argv: readonly string[], io: CliIo): Promise<number> {
  const ending = new AbortController()
  const end = () => ending.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    return await tailUntil(argv, io, ending.signal)
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

export async function tailUntil(
  argv: readonly string[],
  io: CliIo,
  signal: AbortSignal,
): Promise<number> {
  const read = readArguments('tail', argv)
  if (!read.ok) return usageError(io, read.why)
  const count = read.number('--count') ?? Number.POSITIVE_INFINITY
  const query = queryFor(read)
  if (!query.ok) return usageError(io, query.why)
  const place = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!place.ok) return reportRefusal(io, place)
  return await follow(place.place, query.params, { io, signal, count, isJson: read.has('--json') })
}

interface Following {
  readonly io: CliIo
  readonly signal: AbortSignal
  readonly count: number
  readonly isJson: boolean
}

async function follow(
  place: AdminPlace,
  params: URLSearchParams,
  { io, signal, count, isJson }: Following,
): Promise<number> {
  let left = count
  while (!signal.aborted && left > 0) {
    const read = valueIn(await askAdmin(place, { path: `/v1/tail?${params}`, signal }), forms.tail)
    if (signal.aborted) break
    if (!read.ok) return reportRefusal(io, read)
    const { lines, lost } = read.value
    const shown = lines.slice(0, left)
    left -= shown.length
    io.stdout(shown.map(isJson ? jsonLine : textLine).join(''))
    if (lost > 0) io.stderr(`neardns: ${lost} more came than can be shown; use a filter\n`)
    if (left > 0) await pause(everyMs, undefined, { signal }).catch(() => undefined)
  }
  return ExitCode.ok
}

function jsonLine(line: TailLine): string {
  return `${JSON.stringify(line)}\n`
}

function textLine(line: TailLine): string {
  const { atMs, proto, name, type, rcode, source, tookUs, upstream } = line
  const by = upstream === '' ? '' : `  ${upstream}`
  const took = `${tookUs} us`.padStart(11)
  return `${localTime(atMs)} ${took}  ${rcode} ${source}  ${name} ${typeText(type)}  ${clientText(line)} ${proto}${by}\n`
}

const filters = {
  '--type': 'type',
  '--client': 'client',
  '--rcode': 'rcode',
  '--source': 'source',
  '--slower': 'slower',
}

type QueryRead =
  | { readonly ok: true; readonly params: URLSearchParams }
  | { readonly ok: false; readonly why: string }

function queryFor({ words, flag }: Arguments): QueryRead {
  const params = new URLSearchParams({ viewer: randomUUID() })
  const [name] = words
  if (name !== undefined) {
    const typed = readTypedName(name)
    if (!typed.ok) return typed
    params.set('under', typed.value.ascii)
  }
  for (const [from, to] of Object.entries(filters)) {
    const value = flag(from)
    if (value !== undefined) params.set(to, value)
  }
  return { ok: true, params }
}
