/**
 * Describes the results as text for people: a table for each scene, and the totals. Pure; `paint` applies the colours. The caller
 * has counted all numbers.
 */
import { Ede, Rcode } from '../wire/constants.ts'
import type { DemoReply } from './client.ts'

export type Style = 'title' | 'faint' | 'good' | 'warn' | 'bad'
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text

/** The origin of an answer. */
export type Source = 'cache' | 'stale cache' | 'CoreDNS' | 'outside' | 'nobody'

export interface AccountRow {
  readonly qname: string
  readonly type: string
  /** How many clients asked this at once. */
  readonly askers: number
  readonly reply: DemoReply
  readonly source: Source
  /** Queries that the stand-ins received for this question. */
  readonly upstreamQueries: number
}

export interface Totals {
  readonly rows: readonly AccountRow[]
  readonly clusterQueriesTcp: number
  readonly clusterQueriesUdp: number
  readonly outsideQueries: number
}

const staleErrors: readonly number[] = [Ede.staleAnswer, Ede.staleNxdomain]

/** The origin of the answer, derived from the queries that the stand-ins received and from the reply. */
export function sourceOf(reply: DemoReply, toCluster: number, toOutside: number): Source {
  if (staleErrors.includes(reply.extendedError)) return 'stale cache'
  if (reply.rcode < 0) return 'nobody'
  if (toCluster > 0) return 'CoreDNS'
  if (toOutside > 0) return 'outside'
  const isNews = reply.rcode === Rcode.servfail && reply.extendedError !== Ede.cachedError
  return isNews ? 'nobody' : 'cache'
}

const columns = ['asked', 'type', 'answer', 'from', 'ms', 'sent'] as const

/** A table without frame, indented by two, numbers right-aligned. */
export function renderTable(rows: readonly AccountRow[], paint: Paint): string {
  const cells = rows.map((row) => [
    row.askers > 1 ? `${row.askers} x ${row.qname}` : row.qname,
    row.type,
    answerText(row.reply),
    row.source,
    shortMs(row.reply.tookMs),
    String(row.upstreamQueries),
  ])
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => (row[i] ?? '').length)),
  )
  const line = (texts: readonly string[]) =>
    texts.map((text, i) => (i < 4 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
  const head = paint('faint', `  ${line(columns).join('  ')}`)
  const body = cells.map((row, i) => {
    const padded = line(row)
    const style = styleOf(rows[i]?.source ?? 'nobody')
    return `  ${padded.map((text, at) => (at === 3 ? paint(style, text) : text)).join('  ')}`
  })
  return [head, ...body].join('\n')
}

/** Three figures at most, so that a table fits 80 columns. */
function shortMs(ms: number): string {
  return ms.toFixed(ms < 9.95 ? 1 : 0)
}

function answerText({ rcode, addresses }: DemoReply): string {
  if (rcode < 0) return 'no reply'
  if (rcode === Rcode.nxdomain) return 'no such name'
  if (rcode === Rcode.servfail) return 'SERVFAIL'
  if (rcode !== Rcode.noerror) return `rcode ${rcode}`
  return addresses.length > 0 ? addresses.join(' ') : 'no such record'
}

function styleOf(source: Source): Style {
  if (source === 'cache') return 'good'
  if (source === 'nobody') return 'bad'
  return source === 'stale cache' ? 'warn' : 'faint'
}

/** Questions and upstream queries of one scene, in a sentence. */
export function renderSceneSum(rows: readonly AccountRow[]): string {
  const questions = rows.reduce((sum, row) => sum + row.askers, 0)
  const upstream = rows.reduce((sum, row) => sum + row.upstreamQueries, 0)
  const slowestMs = Math.max(0, ...rows.map((row) => row.reply.tookMs))
  return `  ${count(questions, 'question')}, ${count(upstream, 'query', 'queries')} upstream, slowest ${slowestMs.toFixed(1)} ms`
}

export function renderTotals(totals: Totals): string {
  const { rows, clusterQueriesTcp: overTcp, clusterQueriesUdp: overUdp, outsideQueries } = totals
  const questions = rows.reduce((sum, row) => sum + row.askers, 0)
  const onNode = rows.filter(isAnswered).reduce((sum, row) => sum + savedQueries(row), 0)
  const share = questions === 0 ? 0 : (onNode / questions) * 100
  const toCluster = overTcp + overUdp
  return [
    `  ${count(questions, 'question')} from pods, ${count(toCluster + outsideQueries, 'query', 'queries')} upstream:`,
    `  CoreDNS received ${toCluster} (${overTcp} over TCP, ${overUdp} over UDP), the outside ${outsideQueries}.`,
    `  ${onNode} (${share.toFixed(0)} %) were answered without leaving the node.`,
  ].join('\n')
}

function isAnswered({ reply }: AccountRow): boolean {
  return reply.rcode === Rcode.noerror || reply.rcode === Rcode.nxdomain
}

/** A question asked again upstream (a hedge) saves nothing, and does not count twice. */
function savedQueries({ askers, upstreamQueries }: AccountRow): number {
  return Math.max(0, askers - upstreamQueries)
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
