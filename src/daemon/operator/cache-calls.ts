/** The calls about the cache: list, flush, dump, load. In parts between which packets get their turn. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CacheEntry } from '../../core/cache/entry.ts'
import { type EntryView, viewOf } from '../../core/cache/listing.ts'
import { type Selection, selectsKey } from '../../core/cache/selection.ts'
import { type Flushed, flush } from '../../core/flush.ts'
import { type Loaded, Loader } from '../../core/loading.ts'
import { dumpCache, readDump } from '../../handover/cache-file.ts'
import {
  type AdminCall,
  type CallRequest,
  errorPage,
  jsonPage,
  type Page,
} from '../../observe/admin-calls.ts'
import { recordLines } from '../../wire/record-text.ts'
import type { DataPath } from '../data-path.ts'
import type { Everywhere, Operation, Operations } from './operation.ts'
import { readSelection, readWhole } from './params.ts'

export interface CacheCallParts {
  readonly path: DataPath
  readonly nowMs: () => number
  readonly everywhere: Everywhere
}

/** Entries of one list. Some 200 bytes each, which are made at once. */
const entriesMax = 10_000
const entriesUsual = 1000
const loadSlice = 100

interface ListInput {
  readonly selection: Selection
  readonly limit: number
  readonly hasRecords: boolean
}

interface Listed {
  readonly entries: readonly EntryView[]
  /** How many are meant, those beyond the limit included. */
  readonly meant: number
  readonly kept: number
}

/** @param operations takes those that colleagues carry out as well */
export function cacheCalls(parts: CacheCallParts, operations: Operations): AdminCall[] {
  const { path, nowMs, everywhere } = parts
  const list: Operation<ListInput, Listed> = {
    name: 'cache-list',
    run: (input) => listed(path, input, nowMs),
  }
  const drop: Operation<Selection, Flushed> = {
    name: 'cache-flush',
    run: (selection) => inTurns(flush(path, selection)),
  }
  const load: Operation<Buffer | Uint8Array, Loaded | string> = {
    name: 'cache-load',
    run: (dump) => loaded(path, Buffer.from(dump), nowMs),
  }
  operations.add(list)
  operations.add(drop)
  operations.add(load)
  return [
    { method: 'GET', path: '/v1/cache', answer: (request) => listPage(request, everywhere, list) },
    {
      method: 'POST',
      path: '/v1/cache/flush',
      answer: (request) => flushPage(request, everywhere, drop),
    },
    {
      method: 'GET',
      path: '/v1/cache/dump',
      // All workers cache the same names, so one of them is enough.
      answer: () => ({
        status: 200,
        body: '',
        contentType: 'application/octet-stream',
        pieces: dumpCache(path.cache, nowMs),
      }),
    },
    {
      method: 'POST',
      path: '/v1/cache/load',
      isForRoot: true,
      // An entry counts for more in the cache than it has bytes in a dump: more than this has no room there.
      get bodyBytesMax() {
        return path.cache.settings.bytesMax
      },
      answer: (request) => loadPage(request, everywhere, load),
    },
  ]
}

async function listPage(
  { params }: CallRequest,
  everywhere: Everywhere,
  list: Operation<ListInput, Listed>,
): Promise<Page> {
  const selection = readSelection(params)
  if (!selection.ok) return errorPage(400, selection.why)
  const limit = readWhole(params, 'limit', { min: 1, max: entriesMax, fallback: entriesUsual })
  if (!limit.ok) return errorPage(400, limit.why)
  const { outputs, missing } = await everywhere(list, {
    selection: selection.value ?? everything,
    limit: limit.value,
    hasRecords: params.has('records'),
  })
  const entries = joined(outputs.map((one) => one.entries)).slice(0, limit.value)
  const most = (pick: (one: Listed) => number) => Math.max(...outputs.map(pick))
  return jsonPage({
    entries,
    meant: Math.max(
      entries.length,
      most(({ meant }) => meant),
    ),
    kept: most(({ kept }) => kept),
    workers: outputs.length,
    missing,
  })
}

async function flushPage(
  { params }: CallRequest,
  everywhere: Everywhere,
  drop: Operation<Selection, Flushed>,
): Promise<Page> {
  const selection = readSelection(params)
  if (!selection.ok) return errorPage(400, selection.why)
  if (selection.value === undefined)
    return errorPage(400, 'say what is to be flushed: name, under, type, negative, or all')
  const { outputs, missing } = await everywhere(drop, selection.value)
  const sum = (pick: (one: Flushed) => number) =>
    outputs.reduce((total, one) => total + pick(one), 0)
  return jsonPage({
    answers: sum(({ answers }) => answers),
    failures: sum(({ failures }) => failures),
    questions: sum(({ questions }) => questions),
    workers: outputs.length,
    missing,
  })
}

async function loadPage(
  { body }: CallRequest,
  everywhere: Everywhere,
  load: Operation<Buffer | Uint8Array, Loaded | string>,
): Promise<Page> {
  const { outputs, missing } = await everywhere(load, body)
  const [own] = outputs
  if (own === undefined || typeof own === 'string')
    return errorPage(400, own ?? 'nothing was loaded')
  return jsonPage({ ...own, workers: outputs.length, missing })
}

const everything: Selection = {
  name: undefined,
  hasSubtree: true,
  qtype: undefined,
  isNegativeOnly: false,
}

async function listed(
  { cache }: DataPath,
  { selection, limit, hasRecords }: ListInput,
  nowMs: () => number,
): Promise<Listed> {
  const lines = hasRecords ? recordLines : undefined
  const entries: EntryView[] = []
  let meant = 0
  for (const part of cache.parts()) {
    const chosen = part.filter((entry) => isChosen(entry, selection))
    const room = limit - entries.length
    meant += chosen.length
    entries.push(...chosen.slice(0, room).map((entry) => viewOf(entry, nowMs(), lines)))
    await nextTurn()
  }
  const { entriesSuccess, entriesDenial } = cache.stats
  return { entries, meant, kept: entriesSuccess + entriesDenial }
}

function isChosen(entry: CacheEntry, selection: Selection): boolean {
  return (!selection.isNegativeOnly || entry.isDenial) && selectsKey(selection, entry.key)
}

/** The same question in several workers is one line: the youngest answer, the hits of all. In the order of names, read from their end. */
function joined(lists: readonly (readonly EntryView[])[]): EntryView[] {
  const byQuestion = new Map<string, EntryView>()
  for (const entry of lists.flat()) {
    const { name, type, dnssecOk, checkingDisabled } = entry
    const question = `${name} ${type} ${dnssecOk} ${checkingDisabled}`
    const other = byQuestion.get(question)
    const hits = entry.hits + (other?.hits ?? 0)
    const younger = other !== undefined && other.ageSeconds < entry.ageSeconds ? other : entry
    byQuestion.set(question, { ...younger, hits })
  }
  const keyed = [...byQuestion.values()].map((entry) => ({
    entry,
    key: entry.name.split('.').toReversed().join(' '),
  }))
  return keyed
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.entry.type - b.entry.type))
    .map(({ entry }) => entry)
}

async function inTurns<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    await nextTurn()
  }
}

/** @returns why nothing was loaded */
async function loaded(path: DataPath, dump: Buffer, nowMs: () => number): Promise<Loaded | string> {
  const read = readDump(dump)
  if (!read.ok) return `no cache was loaded: ${read.why}`
  const loader = new Loader(path)
  const fates = { answers: 0, known: 0, expired: 0, refused: 0 }
  for (const [i, record] of read.records.entries()) {
    fates[loader.load(record, read.ageMs, nowMs())] += 1
    if (i % loadSlice === loadSlice - 1) await nextTurn()
  }
  return fates
}
