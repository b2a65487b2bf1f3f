/** `neardns slow` and `neardns failures`: the last queries that were slow, or failed, with the time in each phase. */

import { typeText } from '../../core/type-text.ts'
import type { FlightView, SendingView } from '../../observe/live/flight-recorder.ts'
import { readArguments } from '../command-line/arguments.ts'
import type { Verb } from '../command-line/verbs.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { askAdmin, readPlace, reportRefusal } from './admin-client.ts'
import { forms } from './forms.ts'
import { clientText, localTime, readReply } from './reply.ts'

export function slow(argv: readonly string[], io: CliIo): Promise<number> {
  return flights('slow', argv, io)
}

export function failures(argv: readonly string[], io: CliIo): Promise<number> {
  return flights('failures', argv, io)
}

const limitUsual = 20

async function flights(
  verb: Extract<Verb, 'slow' | 'failures'>,
  argv: readonly string[],
  io: CliIo,
): Promise<number> {
  const read = readArguments(verb, argv)
  if (!read.ok) return usageError(io, read.why)
  const limit = read.number('--limit') ?? limitUsual
  const place = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!place.ok) return reportRefusal(io, place)
  const reply = await askAdmin(place.place, { path: `/v1/${verb}` })
  return readReply(
    reply,
    { form: forms.flights, isJson: read.has('--json'), io },
    ({ queries }) => {
      const shown = queries.slice(0, limit)
      io.stdout(shown.map(flightText).join(''))
      const more = queries.length - shown.length
      if (more > 0) io.stdout(`${more} more are kept, --limit N\n`)
      if (queries.length === 0) io.stdout(`none is kept: no query ${noneText[verb]}\n`)
      return ExitCode.ok
    },
  )
}

const noneText = {
  slow: 'that was answered waited for as long as admin.slowMs says (200 ms unless set)',
  failures: 'has failed',
} as const

/** A line for the query, and one for each sending. */
function flightText(flight: FlightView): string {
  const { atMs, name, type, proto, rcode, source, tookMs, count } = flight
  const times = count > 1 ? `, ${count} times` : ''
  const head = `${localTime(atMs)}  ${ms(tookMs)}  ${rcode} ${source}  ${name} ${typeText(type)}  from ${clientText(flight)} over ${proto}${times}`
  return [head, ...phases(flight)].map((line) => `${line}\n`).join('')
}

function phases({ group, sendings, waitedMs, isJoined, answeredBy, tookMs }: FlightView): string[] {
  if (group === undefined) return ['  no room to wait: see docs/operations.md, inFlight']
  const joined = isJoined ? ['  joined a question that was on its way'] : []
  const waited = waitedMs >= 1 ? [`  ${ms(waitedMs)} until it was asked`] : []
  const asked = sendings.map(
    ({ upstream, why, afterMs, queuedMs, ...end }) =>
      `  ${ms(afterMs)} ${why} to ${upstream}${queueText(queuedMs)}${endText(end, afterMs)}`,
  )
  const by =
    answeredBy === undefined ? `no upstream of ${group} answered` : `answered by ${answeredBy}`
  return [...joined, ...waited, ...asked, `  ${ms(tookMs)} ${by}`]
}

function queueText(queuedMs: number | undefined): string {
  if (queuedMs === undefined) return ', never sent'
  return queuedMs >= 1 ? `, ${ms(queuedMs)} in the queue` : ''
}

type End = Pick<SendingView, 'endMs' | 'rcode' | 'lostTo'>

/** What came of a sending, and after how long. */
function endText({ endMs, rcode, lostTo }: End, afterMs: number): string {
  const after = endMs === undefined ? '' : ` after ${(endMs - afterMs).toFixed(1)} ms`
  if (rcode !== undefined) return `, ${rcode}${after}`
  return lostTo === undefined ? '' : `, lost${after}: ${lostTo}`
}

/** In a column of its own. */
function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`.padStart(9)
}
