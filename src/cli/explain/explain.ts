/**
 * `neardns explain NAME [TYPE]`: asks a running daemon how it would answer a question now, and on what evidence; with a search list for each
 * name that a stub resolver would try.
 */
import type { Endpoint } from '../../address/endpoint.ts'
import { dnsPort, parseScopedEndpoint } from '../../config/address.ts'
import { type Arguments, readArguments } from '../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { type AdminPlace, askAdmin, readPlace, reportRefusal } from '../operator/admin-client.ts'
import { forms } from '../operator/forms.ts'
import { valueIn } from '../operator/reply.ts'
import { parseRecordType } from '../record-type.ts'
import { typedQuestion } from '../reverse-name.ts'
import { bothForms, readTypedName, type TypedName } from '../typed-name.ts'
import { askStep } from './ask-step.ts'
import { type Explained, readExplained, verdictOf } from './explained.ts'
import { readSearchList } from './search-list.ts'
import { namesOfWalk, type SearchList } from './walk.ts'
import { type Step, walkText } from './walk-text.ts'

const serverDefault = '127.0.0.1:5353'

interface Request {
  readonly name: TypedName
  /** As typed. */
  readonly type: string
  readonly codecType: string
  readonly list: SearchList | undefined
  /** Whom to ask for real; undefined: nobody. */
  readonly server: Endpoint | undefined
  readonly isJson: boolean
}

export async function explain(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('explain', argv)
  if (!read.ok) return usageError(io, read.why)
  const request = readRequest(read)
  if (typeof request === 'string') return usageError(io, request)
  const found = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!found.ok) return reportRefusal(io, found)
  if (request.isJson) return await walkAsValues(found.place, request, io)
  const isPlain = request.list === undefined && request.server === undefined
  return isPlain ? await page(found.place, request, io) : await walk(found.place, request, io)
}

/** @returns the one line that says what is wrong */
function readRequest(read: Arguments): Request | string {
  const [word = '', typeWord] = read.words
  const { name, type } = typedQuestion(word, typeWord)
  const known = parseRecordType(type)
  if (!known.ok) return known.why
  const typed = readTypedName(name)
  if (!typed.ok) return typed.why
  const list = readSearchList(read)
  if (typeof list === 'string') return list
  if (read.has('--server') && !read.has('--trace')) return '--server needs --trace'
  const server = read.has('--trace')
    ? parseScopedEndpoint(read.flag('--server') ?? serverDefault, dnsPort)
    : undefined
  if (server?.ok === false) return `--server ${read.flag('--server')}: ${server.why}`
  return {
    name: typed.value,
    type,
    codecType: known.codecName,
    list,
    server: server?.value,
    isJson: read.has('--json'),
  }
}

/** The daemon's own lines about one question. */
async function page(place: AdminPlace, { name, type }: Request, io: CliIo): Promise<number> {
  const reply = await askAdmin(place, { path: pathOf(name.ascii, type) })
  if (!reply.ok) return reportRefusal(io, reply)
  io.stdout(reply.body.toString() + bothForms(name))
  return ExitCode.ok
}

function pathOf(name: string, type: string): string {
  return `/explain/${encodeURIComponent(name)}/${encodeURIComponent(type)}`
}

/** Follows the list until a name answers, as far as that can be known. */
async function walk(place: AdminPlace, request: Request, io: CliIo): Promise<number> {
  const { name, type, codecType, server } = request
  const names = namesOf(request)
  const steps: Step[] = []
  for (const one of names) {
    const reply = await askAdmin(place, { path: pathOf(one, type) })
    if (!reply.ok) return reportRefusal(io, reply)
    const explained = readExplained(reply.body.toString())
    const asked = server && (await askStep(one, codecType, server))
    steps.push({ name: one, explained, asked })
    if (isEnd(explained, asked)) break
  }
  const left = names.length - steps.length
  io.stdout(walkText(headOf(request), steps, left) + bothForms(name))
  return ExitCode.ok
}

/** The same as values: of each step what `/v1/explain` says of it, and what came. */
async function walkAsValues(place: AdminPlace, request: Request, io: CliIo): Promise<number> {
  const { name, type, codecType, list, server } = request
  const names = namesOf(request)
  const steps: unknown[] = []
  for (const one of names) {
    const search = new URLSearchParams({ name: one, type }).toString()
    const reply = valueIn(await askAdmin(place, { path: `/v1/explain?${search}` }), forms.explained)
    if (!reply.ok) return reportRefusal(io, reply)
    const explanation = reply.value
    const { rcode, records } = explanation.decision
    const verdict = verdictOf(rcode ?? undefined, records.length)
    const asked = server && (await askStep(one, codecType, server))
    steps.push({ name: one, verdict, ...explanation, asked: asked ?? null })
    if (isEnd({ verdict }, asked)) break
  }
  const value = {
    name: name.ascii,
    type: type.toUpperCase(),
    search: list ?? null,
    steps,
    notAsked: names.slice(steps.length),
  }
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`)
  return ExitCode.ok
}

function namesOf({ name, list }: Request): readonly string[] {
  return list === undefined ? [name.ascii] : namesOfWalk(name.ascii, list)
}

/** What came decides; else what would come. */
function isEnd(explained: Pick<Explained, 'verdict'>, asked: Step['asked']): boolean {
  const verdict =
    asked === undefined ? explained.verdict : verdictOf(asked.rcode, asked.records.length)
  return verdict === 'answered'
}

function headOf({ name, type, list }: Request): string {
  const typed = `${name.unicode ?? name.ascii} ${type.toUpperCase()}`
  if (list === undefined) return typed
  return `${typed}; search ${list.domains.join(' ')}, ndots ${list.ndots}`
}
