/** `neardns status`: a running daemon on one screen. Looks twice, a second apart, for what happens now. */
import { setTimeout as pause } from 'node:timers/promises'
import { defaultOrigin, type SettingView } from '../../config/in-force/origins.ts'
import type { UpstreamSummary } from '../../daemon/operator/summary.ts'
import { readArguments } from '../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../io.ts'
import { type AdminPlace, askAdmin, readPlace, reportRefusal } from './admin-client.ts'
import { forms } from './forms.ts'
import {
  agoText,
  type Between,
  between,
  bytesText,
  grouped,
  msText,
  percentText,
  rateText,
  type Summary,
} from './numbers.ts'
import { readReply, valueIn } from './reply.ts'
import { tableLines } from './table.ts'

const betweenMs = 1000

export async function status(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('status', argv)
  if (!read.ok) return usageError(io, read.why)
  const place = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!place.ok) return reportRefusal(io, place)
  const isJson = read.has('--json')
  if (read.has('--config')) return configuration(place.place, isJson, io)
  const before = isJson ? undefined : await firstLook(place.place)
  const reply = await askAdmin(place.place, { path: '/v1/status' })
  return readReply(reply, { form: forms.summary, isJson, io }, (now) => {
    io.stdout(
      statusLines(now, between(before, now))
        .map((line) => `${line}\n`)
        .join(''),
    )
    return now.notReady.length === 0 ? ExitCode.ok : ExitCode.failed
  })
}

/** What somebody has set comes first. */
async function configuration(place: AdminPlace, isJson: boolean, io: CliIo): Promise<number> {
  const reply = await askAdmin(place, { path: '/v1/config' })
  return readReply(reply, { form: forms.config, isJson, io }, ({ settings, more }) => {
    const isGiven = ({ from }: SettingView) => from !== defaultOrigin
    const ordered = [...settings.filter(isGiven), ...settings.filter((one) => !isGiven(one))]
    const rows = ordered.map(({ path, value, from }) => [path, value, from])
    const columns = [{ title: 'setting' }, { title: 'value' }, { title: 'from' }]
    io.stdout(`${tableLines(columns, rows, undefined).join('\n')}\n`)
    if (more > 0) io.stdout(`${more} more are left out\n`)
    return ExitCode.ok
  })
}

async function firstLook(place: AdminPlace): Promise<Summary | undefined> {
  const read = valueIn(await askAdmin(place, { path: '/v1/status' }), forms.summary)
  if (!read.ok) return undefined
  await pause(betweenMs)
  return read.value
}

export function statusLines(now: Summary, rates: Between): string[] {
  const { workers, upSeconds, notReady, cache, inFlight, reload } = now
  const several = workers > 1 ? `, ${workers} workers` : ''
  const since = between(undefined, now)
  const limit = now.memoryLimitBytes > 0 ? ` of ${bytesText(now.memoryLimitBytes)}` : ''
  return [
    `neardns ${now.version}, up ${agoText(upSeconds)}${several}: ${notReady.length === 0 ? 'ready' : 'NOT READY'}`,
    ...notReady.map((why) => line('', why)),
    line('listening', now.listening.join(' ')),
    line('intercept', interceptText(now)),
    line('now', nowText(rates)),
    line(
      'so far',
      `${grouped(now.queries)} queries, ${percentText(since.hitPercent)} from the cache, ${grouped(now.bySource['stale'] ?? 0)} stale, ${grouped(now.drops)} dropped`,
    ),
    line('rcodes', rcodesText(now)),
    line('search', `${now.searchLevel}; ${grouped(now.spared)} questions spared`),
    line(
      'cache',
      `${grouped(cache.answers)} answers, ${grouped(cache.denials)} denials, ${bytesText(cache.bytes)} of ${bytesText(cache.bytesMax)}, ${grouped(cache.evictions)} evicted`,
    ),
    line(
      'in flight',
      `${grouped(inFlight.questions)} of ${grouped(inFlight.questionsMax)} questions, ${grouped(inFlight.waiters)} clients wait, ${grouped(inFlight.refused)} were refused`,
    ),
    line('kernel', kernelText(now)),
    ...now.upstreams.map((upstream, at) =>
      line(at === 0 ? 'upstreams' : '', upstreamText(upstream)),
    ),
    line(
      'process',
      `${bytesText(now.rssBytes)}${limit}, ${rates.cpuPercent.toFixed(1)} % of a CPU`,
    ),
    line(
      'config',
      `${reload.isLastGood ? 'in force' : 'THE NEWEST WAS REFUSED; the one in force is'} since ${new Date(reload.appliedSeconds * 1000).toISOString()}`,
    ),
  ]
}

function line(title: string, text: string): string {
  return `${title.padEnd(10)} ${text}`.trimEnd()
}

function interceptText({ intercepted, wanted }: Summary): string {
  if (wanted.length === 0) return 'nothing is intercepted; pods ask the addresses above'
  return `${intercepted.length} of ${wanted.length} addresses: ${intercepted.join(' ') || 'pods ask CoreDNS directly'}`
}

function kernelText({ kernelHits: { off, interfaces, entries, answered } }: Summary): string {
  if (off !== '') return `answers no hits itself: ${off}`
  return `answers hits at ${interfaces} interfaces from ${grouped(entries)} answers; ${grouped(answered)} so far`
}

function nowText({ queriesPerSecond, hitPercent, p50Ms, p99Ms }: Between): string {
  return `${rateText(queriesPerSecond)} q/s, ${percentText(hitPercent)} from the cache, p50 ${msText(p50Ms)}, p99 ${msText(p99Ms)}`
}

function rcodesText({ byRcode }: Summary): string {
  const all = Object.entries(byRcode).toSorted(([, a], [, b]) => b - a)
  return all.map(([rcode, count]) => `${rcode} ${grouped(count)}`).join(', ') || 'none yet'
}

function upstreamText({
  group,
  name,
  isUp,
  inFlight,
  roundTripMs,
  failures,
}: UpstreamSummary): string {
  const time = roundTripMs > 0 ? `${roundTripMs.toFixed(1)} ms` : 'not asked yet'
  return `${group} ${name} ${isUp ? 'up' : 'DOWN'}, ${time}, ${inFlight} in flight, ${grouped(failures)} failures`
}
