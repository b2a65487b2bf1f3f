/** The report of a rehearsal as text, at most 80 columns. Pure. */
import { ReplySource } from '../../core/facts.ts'
import { typeText } from '../../core/type-text.ts'
import { rcodeName } from '../../observe/rcode-name.ts'
import type { Difference, Example, Group, NotJudged, Report } from '../../rehearsal/report.ts'
import { agoText, grouped } from '../operator/numbers.ts'
import { fitted, tableLines } from '../operator/table.ts'

export interface WholeReport extends Report {
  readonly trust: { readonly level: string; readonly reasons: readonly string[] }
}

const columns = 80
const examplesShown = 3

/** What must be looked into before the switch. */
const faults: readonly Difference['reason'][] = ['unexplained', 'wrongDenial', 'limit']

export function hasFaults({ differences, queries }: Report): boolean {
  return queries === 0 || differences.some(({ reason }) => faults.includes(reason))
}

export function reportLines(report: WholeReport): string[] {
  if (report.queries === 0) return silence(report)
  return [
    ...seen(report),
    '',
    ...answers(report),
    ...differences(report),
    '',
    ...questions(report),
    '',
    ...waits(report),
    '',
    ...verdict(report),
  ]
}

function silence({ servers, seconds, otherServers, kernel }: WholeReport): string[] {
  const packets = kernel === undefined ? '' : `, ${grouped(kernel.packets)} packets`
  // From the first packet to the last: nothing is known of the time without any.
  const time = seconds > 0 ? ` in ${agoText(seconds)}` : ''
  return [
    `No query to ${servers.join(', ')}${time}${packets}.`,
    ...otherServers.map(
      ({ server, queries }) => `  ${grouped(queries)} went to ${server}: --server ${server}?`,
    ),
  ]
}

function seen(report: WholeReport): string[] {
  const { servers, isCache, seconds, queries, clients, copies, kernel, notJudged } = report
  const at = isCache ? 'a cache on this node' : "the cluster's DNS"
  const dropped =
    kernel === undefined
      ? ''
      : `; ${grouped(kernel.dropped)} of ${grouped(kernel.packets)} packets lost by the kernel`
  const causes = causeTexts(notJudged)
  return [
    ...wrap(`Pods ask ${servers.join(', ')} (${at}). Seen for ${agoText(seconds)}:`),
    ...wrap(
      `${counted(queries, 'queries', 'query')} of ${counted(clients, 'clients', 'client')}${dropped}; ${grouped(copies)} packets were seen again on other links`,
      2,
    ),
    ...wrap(`${grouped(report.judged)} judged; not judged: ${causes.join(', ') || 'none'}`, 2),
  ]
}

const causes: Readonly<Record<keyof NotJudged, string>> = {
  noReply: 'without a reply',
  lateReply: 'replies without their query',
  noCapturedReply: 'without a captured reply to answer with',
  notAnswered: 'without an answer of the instance',
  odd: 'that are no question to a cache',
  unreadable: 'unreadable replies',
  tcp: 'TCP connections',
  fragment: 'fragments',
  cut: 'cut packets',
}

function causeTexts(notJudged: NotJudged): string[] {
  return (Object.keys(causes) as (keyof NotJudged)[])
    .filter((cause) => notJudged[cause] > 0)
    .map((cause) => `${grouped(notJudged[cause])} ${causes[cause]}`)
}

function answers({ same, judged, answered }: WholeReport): string[] {
  const share = (count: number) => percent(count, judged)
  const { cache, searchPath, configuration, joined, upstream } = answered
  const atOnce = cache + searchPath + configuration
  return [
    `Answers the same as the pods got: ${grouped(same.all)} of ${grouped(judged)} (${share(same.all)})`,
    ...wrap(
      `of these ${grouped(same.otherTtl)} with other TTLs, ${grouped(same.otherOrder)} in another order`,
      2,
    ),
    `Answered at once: ${share(atOnce)}`,
    ...wrap(
      `cache ${share(cache)}, search path ${share(searchPath)}, configuration ${share(configuration)}; asked ${share(upstream)}, joined ${share(joined)}`,
      2,
    ),
  ]
}

function differences(report: WholeReport): string[] {
  if (report.differences.length === 0) return ['Differences: none']
  return [
    'Differences:',
    ...report.differences.flatMap(({ count, means, examples }) => [
      ...wrap(`${grouped(count)}: ${means}`, 2),
      ...examples.slice(0, examplesShown).flatMap(exampleLines),
    ]),
  ]
}

function exampleLines({ name, type, got, gives, source }: Example): string[] {
  const question = ` ${typeText(type)}`
  return [
    `    ${fitted(name, columns - 4 - question.length)}${question}`,
    `      got ${answerText(got)}, gives ${answerText(gives)} (${sourceName(source)})`,
  ]
}

function answerText({ rcode, records }: Example['got']): string {
  return records > 0
    ? `${rcodeName(rcode)} with ${counted(records, 'records', 'record')}`
    : rcodeName(rcode)
}

function sourceName(source: number): string {
  return Object.entries(ReplySource).find(([, number]) => number === source)?.[0] ?? 'unknown'
}

function questions({ groups, isCache, presumed }: WholeReport): string[] {
  const rows = groups.map((group) => [
    groupText(group),
    grouped(group.queries),
    grouped(group.now),
    grouped(group.rehearsed),
    group.now > 0 ? percent(group.now - group.rehearsed, group.now) : '-',
    grouped(group.bySearchPath),
  ])
  const titles = ['questions to', 'queries', 'now', 'then', 'spared', 'by search path']
  const table = tableLines(
    titles.map((title, at) => ({ title, isNumber: at > 0 })),
    rows,
    columns,
  )
  const now = isCache
    ? 'now: what the cache on this node has asked for, told from the TTLs of its answers'
    : 'now: each query goes there'
  return [
    ...table,
    ...wrap(now, 2),
    ...(presumed === 0
      ? []
      : wrap(
          `then: ${grouped(presumed)} of them are the search path's own, with presumed answers: no pod asks these names`,
          2,
        )),
  ]
}

function groupText({ name, isCluster }: Group): string {
  return isCluster ? `CoreDNS (${name})` : name
}

function waits({ waits: { now, rehearsed } }: WholeReport): string[] {
  const row = (title: string, { p50Ms, p90Ms, p99Ms, maxMs }: typeof now) => [
    title,
    ...[p50Ms, p90Ms, p99Ms, maxMs].map((value) => value.toFixed(value < 10 ? 2 : 0)),
  ]
  const titles = ['pods wait, ms', 'p50', 'p90', 'p99', 'max']
  return [
    ...tableLines(
      titles.map((title, at) => ({ title, isNumber: at > 0 })),
      [row('now', now), row('then', rehearsed)],
      columns,
    ),
    '  then: without the time that neardns takes itself, some 0.05 ms',
  ]
}

function verdict(report: WholeReport): string[] {
  const { level, reasons } = report.trust
  const doubt = reasons.length > 0 ? `: ${reasons[0]}` : ''
  const said = hasFaults(report)
    ? 'To be looked into before the switch: the differences above.'
    : 'No difference stands in the way of the switch.'
  return [...wrap(`Search path: trust ${level}${doubt}`), said]
}

function counted(count: number, many: string, one: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`
}

/** @param indent of the first line; the others have two more */
function wrap(text: string, indent = 0): string[] {
  const lines: string[] = []
  let line = ' '.repeat(indent)
  // A percentage stays in one piece.
  for (const word of text.split(/ (?!%)/)) {
    const isFirst = line.trim() === ''
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = ' '.repeat(indent + 2) + word
    } else line += isFirst ? word : ` ${word}`
  }
  return [...lines, line]
}
