/** `neardns cache ls|get|flush|dump|load`: looks into the cache of a running daemon, and changes it. */

import { readFileSync, writeFileSync } from 'node:fs'
import { typeText } from '../../core/type-text.ts'
import { isDump } from '../../handover/cache-file.ts'
import { type Arguments, readArguments } from '../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { whyUnreadable } from '../read-config.ts'
import { readTypedName } from '../typed-name.ts'
import { type AdminPlace, askAdmin, readPlace, reportRefusal } from './admin-client.ts'
import { type EntryLine, forms } from './forms.ts'
import { notOurs, readReply } from './reply.ts'
import { tableLines } from './table.ts'

export interface CacheIo extends CliIo {
  /** Characters of a line on the terminal; undefined when standard output is none. */
  readonly width: number | undefined
  writeBytes(bytes: Buffer): void
}

export async function cache(argv: readonly string[], io: CliIo): Promise<number> {
  const { stdout } = process
  const width = stdout.isTTY ? stdout.columns : undefined
  return cacheWith(argv, { ...io, width, writeBytes: (bytes) => io.stdout(bytes) })
}

export async function cacheWith(argv: readonly string[], io: CacheIo): Promise<number> {
  const read = readArguments('cache', argv)
  if (!read.ok) return usageError(io, read.why)
  const place = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!place.ok) return reportRefusal(io, place)
  const [action = ''] = read.words
  const why = misuse(action, read)
  if (why !== undefined) return usageError(io, why)
  return await (actions[action] ?? list)(place.place, read, io)
}

type Action = (place: AdminPlace, args: Arguments, io: CacheIo) => Promise<number>

const actions: Readonly<Record<string, Action>> = { ls: list, get, flush, dump, load }

/** Flags of one action are mistakes at another. */
const flagsOf: Readonly<Record<string, readonly string[]>> = {
  ls: ['--negative', '--limit', '--json'],
  get: ['--json'],
  flush: ['--subtree', '--negative', '--all', '--json'],
  dump: [],
  load: ['--json'],
}

function misuse(action: string, { words, flags }: Arguments): string | undefined {
  const own = [...(flagsOf[action] ?? []), '--admin', '--token-file']
  const foreign = flags.find(({ name }) => !own.includes(name))
  if (foreign !== undefined) return `cache ${action} does not take ${foreign.name}`
  const [, name, type] = words
  if (action === 'get' && name === undefined) return 'cache get needs a name: cache get NAME [TYPE]'
  if (action === 'dump' || action === 'load') return fileMistake(action, name, type)
  const isAll = flags.some((flag) => flag.name === '--all')
  if (isAll && name !== undefined) return 'cache flush takes a name or --all, not both'
  const isNegative = flags.some((flag) => flag.name === '--negative')
  if (action === 'flush' && name === undefined && !isAll && !isNegative)
    return 'cache flush needs a name, --negative or --all'
  return undefined
}

function fileMistake(action: string, file: string | undefined, more: string | undefined) {
  if (file === '') return `cache ${action} needs a file, got ""`
  if (action === 'load' && file === undefined) return 'cache load needs a file: cache load FILE'
  if (more !== undefined)
    return `cache ${action} takes one file, got ${JSON.stringify(more)} besides`
  return undefined
}

async function list(place: AdminPlace, args: Arguments, io: CacheIo): Promise<number> {
  const query = queryFor(args, 'under')
  if (!query.ok) return usageError(io, query.why)
  const limit = args.flag('--limit')
  if (limit !== undefined) query.params.set('limit', limit)
  const reply = await askAdmin(place, { path: `/v1/cache?${query.params}` })
  return readReply(
    reply,
    { form: forms.entries, isJson: args.has('--json'), io },
    ({ entries, meant, kept }) => {
      const rows = entries.map((entry) => [
        entry.name,
        questionText(entry),
        entry.kind,
        seconds(entry.leftSeconds),
        seconds(entry.ageSeconds),
        String(entry.hits),
      ])
      if (rows.length > 0) io.stdout(`${tableLines(columns, rows, io.width).join('\n')}\n`)
      const cut = meant > entries.length ? `; ${entries.length} of them are shown, --limit N` : ''
      io.stdout(`${meant} of ${kept} entries${cut}\n`)
      return ExitCode.ok
    },
  )
}

const columns = [
  { title: 'NAME' },
  { title: 'TYPE' },
  { title: 'KIND' },
  { title: 'LEFT', isNumber: true },
  { title: 'AGE', isNumber: true },
  { title: 'HITS', isNumber: true },
]

async function get(place: AdminPlace, args: Arguments, io: CacheIo): Promise<number> {
  const query = queryFor(args, 'name')
  if (!query.ok) return usageError(io, query.why)
  query.params.set('records', '')
  const reply = await askAdmin(place, { path: `/v1/cache?${query.params}` })
  return readReply(
    reply,
    { form: forms.entries, isJson: args.has('--json'), io },
    ({ entries }) => {
      for (const entry of entries) io.stdout(entryText(entry))
      if (entries.length > 0) return ExitCode.ok
      io.stderr(`neardns: nothing is cached for ${[...args.words.slice(1)].join(' ')}\n`)
      return ExitCode.failed
    },
  )
}

function entryText(entry: EntryLine): string {
  const { leftSeconds, records = [] } = entry
  const state = leftSeconds > 0 ? `${leftSeconds} s left` : `expired ${-leftSeconds} s ago`
  const facts = `${entry.kind}, zone ${entry.zone}, ${entry.ageSeconds} s old, ${state}, ${entry.hits} hits, ${entry.bytes} bytes`
  return `${entry.name} ${questionText(entry)}: ${facts}\n${records.map((record) => `  ${record}\n`).join('')}`
}

async function flush(place: AdminPlace, args: Arguments, io: CacheIo): Promise<number> {
  const query = queryFor(args, args.has('--subtree') ? 'under' : 'name')
  if (!query.ok) return usageError(io, query.why)
  if (args.has('--all')) query.params.set('all', '')
  const path = `/v1/cache/flush?${query.params}`
  const reply = await askAdmin(place, { path, method: 'POST' })
  return readReply(
    reply,
    { form: forms.flushed, isJson: args.has('--json'), io },
    ({ answers, failures, questions }) => {
      const more = [
        ...(failures > 0 ? [`${failures} failures`] : []),
        ...(questions > 0 ? [`${questions} questions on their way`] : []),
      ]
      io.stdout(`flushed ${[`${answers} answers`, ...more].join(', ')}\n`)
      return ExitCode.ok
    },
  )
}

async function dump(place: AdminPlace, args: Arguments, io: CacheIo): Promise<number> {
  const [, file] = args.words
  const isToPipe = file === undefined || file === '-'
  if (isToPipe && io.width !== undefined)
    return usageError(io, 'a dump is binary; name a file: cache dump FILE')
  const reply = await askAdmin(place, { path: '/v1/cache/dump' })
  if (!reply.ok) return reportRefusal(io, reply)
  if (!isDump(reply.body)) return reportRefusal(io, notOurs)
  if (isToPipe) io.writeBytes(reply.body)
  else
    try {
      writeFileSync(file, reply.body, { mode: 0o600 })
    } catch (error) {
      return reportRefusal(io, { why: `cannot write ${file}: ${textOf(error)}`, isMisuse: false })
    }
  return ExitCode.ok
}

async function load(place: AdminPlace, args: Arguments, io: CacheIo): Promise<number> {
  const [, file = ''] = args.words
  let body: Buffer
  try {
    body = readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    return reportRefusal(io, { why: `${file}: ${whyUnreadable(error)}`, isMisuse: true })
  }
  const reply = await askAdmin(place, { path: '/v1/cache/load', method: 'POST', body })
  return readReply(
    reply,
    { form: forms.loaded, isJson: args.has('--json'), io },
    ({ answers, known, expired, refused }) => {
      io.stdout(
        `loaded ${answers} answers; ${known} were known, ${expired} have expired, ${refused} were refused\n`,
      )
      return ExitCode.ok
    },
  )
}

type QueryRead =
  | { readonly ok: true; readonly params: URLSearchParams }
  | { readonly ok: false; readonly why: string }

/** @param nameAs `name` for this name alone, `under` for all at and below it */
function queryFor({ words, has }: Arguments, nameAs: 'name' | 'under'): QueryRead {
  const [, name, type] = words
  const params = new URLSearchParams()
  if (name !== undefined) {
    const typed = readTypedName(name)
    if (!typed.ok) return typed
    params.set(nameAs, typed.value.ascii)
  }
  if (type !== undefined) params.set('type', type)
  if (has('--negative')) params.set('negative', '')
  return { ok: true, params }
}

function questionText({ type, dnssecOk, checkingDisabled }: EntryLine): string {
  return `${typeText(type)}${dnssecOk ? '+do' : ''}${checkingDisabled ? '+cd' : ''}`
}

function seconds(value: number): string {
  return `${value} s`
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
