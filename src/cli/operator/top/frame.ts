/** One picture of `top` as lines: numbers at the top, the chosen pane below, keys at the end. As many lines and columns as there are. Pure. */
import type { Rate } from '../../../observe/live/query-watch.ts'
import type { Live } from '../forms.ts'
import { type Between, bytesText, msText, percentText, rateText } from '../numbers.ts'
import { clientText } from '../reply.ts'
import { type Column, fitted, tableLines } from '../table.ts'
import { type Pane, panes, type View } from './view.ts'

export type Style = 'title' | 'faint' | 'good' | 'bad' | 'chosen'
export type Paint = (style: Style, text: string) => string

export interface Picture {
  readonly now: Live
  readonly rates: Between
  readonly view: View
  readonly width: number
  readonly height: number
}

interface Row {
  readonly key: string
  readonly cells: readonly string[]
}

const number = (title: string): Column => ({ title, isNumber: true })

const columnsOf: Readonly<Record<Pane, readonly Column[]>> = {
  names: [{ title: 'NAME' }, number('Q/S'), number('SHARE')],
  clients: [{ title: 'CLIENT' }, number('Q/S'), number('SHARE')],
  rcodes: [{ title: 'RCODE' }, number('Q/S'), number('SHARE')],
  slowest: [{ title: 'NAME' }, number('LONGEST'), number('MEAN')],
  upstreams: [
    { title: 'UPSTREAM' },
    { title: 'GROUP' },
    { title: 'STATE' },
    number('ROUND TRIP'),
    number('IN FLIGHT'),
    number('FAILURES'),
  ],
}

/** The rows of the chosen pane that pass the filter. */
export function rowsOf({ pane, filter }: View, now: Live, rates: Between): readonly Row[] {
  return allRows(pane, now, rates).filter(({ key }) => key.toLowerCase().includes(filter))
}

function allRows(pane: Pane, now: Live, rates: Between): readonly Row[] {
  const share = ({ key, perSecond }: Rate): Row => {
    const percent = rates.queriesPerSecond > 0 ? (100 * perSecond) / rates.queriesPerSecond : 0
    return { key, cells: [key, rateText(perSecond), `${Math.min(100, percent).toFixed(0)} %`] }
  }
  switch (pane) {
    case 'names':
      return now.names.map(share)
    case 'clients':
      return now.clients.map((one) =>
        share({ ...one, key: clientText({ client: one.key, pod: one.pod }) }),
      )
    case 'rcodes':
      return rates.byRcode.map(share)
    case 'slowest':
      return now.slowest.map(({ key, maxMs, meanMs }) => ({
        key,
        cells: [key, `${maxMs.toFixed(1)} ms`, `${meanMs.toFixed(1)} ms`],
      }))
    case 'upstreams':
      return now.upstreams.map(({ name, group, isUp, roundTripMs, inFlight, failures }) => ({
        key: name,
        cells: [
          ...[name, group, isUp ? 'up' : 'DOWN', `${roundTripMs.toFixed(1)} ms`],
          ...[String(inFlight), String(failures)],
        ],
      }))
  }
}

/** @returns exactly `height` lines, none wider than `width` */
export function frame(picture: Picture, paint: Paint): string[] {
  const { view, width, height } = picture
  const head = headLines(picture, paint)
  const foot = footLine(view, width)
  const room = Math.max(0, height - head.length - 1)
  const body =
    view.note === undefined ? paneLines(picture, room, paint) : noteLines(view.note, width)
  const lines = [...head, ...body.slice(0, room)]
  while (lines.length < height - 1) lines.push('')
  return [...lines.slice(0, height - 1), paint('faint', foot)]
}

function headLines({ now, rates, view, width }: Picture, paint: Paint): string[] {
  const { queriesPerSecond, hitPercent, p50Ms, p99Ms, stalePercent, sparedPerSecond } = rates
  const isReady = now.notReady.length === 0
  const down = now.upstreams.filter(({ isUp }) => !isUp).length
  const state = isReady ? 'ready' : `NOT READY: ${now.notReady.join('; ')}`
  const title = cut(`neardns ${now.version}  ${view.isPaused ? 'PAUSED  ' : ''}${state}`, width)
  const up = `${now.upstreams.length - down} of ${now.upstreams.length} upstreams up`
  const flight = `questions in flight: ${now.inFlight.questions}`
  const { answers, denials, bytes } = now.cache
  return [
    paint(isReady ? 'title' : 'bad', title),
    cut(
      `${rateText(queriesPerSecond)} q/s   hits ${percentText(hitPercent)}   p50 ${msText(p50Ms)}   p99 ${msText(p99Ms)}`,
      width,
    ),
    cut(
      `stale ${percentText(stalePercent)}   search path spares ${rateText(sparedPerSecond)} q/s   CPU ${rates.cpuPercent.toFixed(1)} %   ${bytesText(now.rssBytes)}`,
      width,
    ),
    paint(
      down > 0 ? 'bad' : 'good',
      cut(`${up}, ${flight}, cache ${answers + denials} entries, ${bytesText(bytes)}`, width),
    ),
    tabsLine(view, width, paint),
  ]
}

function tabsLine({ pane, filter, isTyping }: View, width: number, paint: Paint): string {
  const tabs = panes.map((one) => (one === pane ? `[${one}]` : ` ${one} `)).join(' ')
  const typed = isTyping || filter !== '' ? `   /${filter}${isTyping ? '_' : ''}` : ''
  return paint('title', cut(tabs + typed, width))
}

function paneLines({ now, rates, view, width }: Picture, room: number, paint: Paint): string[] {
  const rows = rowsOf(view, now, rates)
  const chosen = Math.min(view.chosen, Math.max(0, rows.length - 1))
  // The chosen row stays in sight.
  const from = Math.max(0, chosen - Math.max(0, room - 2))
  const shown = rows.slice(from, from + Math.max(0, room - 1))
  const cells = shown.map((row) => row.cells)
  const [titles = '', ...lines] = tableLines(columnsOf[view.pane], cells, width)
  const painted = lines.map((text, at) =>
    from + at === chosen ? paint('chosen', cut(text, width)) : cut(text, width),
  )
  const none = view.filter === '' ? 'nothing yet' : 'nothing passes the filter'
  return [
    paint('faint', cut(titles, width)),
    ...(painted.length > 0 ? painted : [cut(none, width)]),
  ]
}

function noteLines(note: readonly string[], width: number): string[] {
  return [...note, '', 'any key goes back'].map((text) => cut(text, width))
}

function footLine({ asksToFlush, isTyping }: View, width: number): string {
  if (asksToFlush !== undefined)
    return cut(`flush ${fitted(asksToFlush, width - 22)}? y flushes`, width)
  if (isTyping) return cut('type a part of a name; return keeps it, escape drops it', width)
  return cut('n c r s u panes  up/down choose  / filter  e explain  f flush  p pause  q end', width)
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** One look as one line, for a pipe. */
export function plainLine({ now, rates }: Pick<Picture, 'now' | 'rates'>): string {
  const { queriesPerSecond, hitPercent, p50Ms, p99Ms, stalePercent, sparedPerSecond } = rates
  const up = now.upstreams.filter(({ isUp }) => isUp).length
  const time = new Date(now.atMs).toISOString()
  const most = now.names[0] === undefined ? '-' : now.names[0].key
  return `${time} ${rateText(queriesPerSecond)} q/s, hits ${percentText(hitPercent)}, p50 ${msText(p50Ms)}, p99 ${msText(p99Ms)}, stale ${percentText(stalePercent)}, spared ${rateText(sparedPerSecond)} q/s, upstreams ${up} of ${now.upstreams.length} up, most asked ${most}`
}
