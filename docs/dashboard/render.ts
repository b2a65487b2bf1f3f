/** From a Prometheus to a picture: asks it every query of the dashboard, and has headless Chromium draw the page of the answers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun } from '../../test/support/process.ts'
import type { Curve, Prometheus, Range } from '../../test/watch/prometheus.ts'
import type { Series } from './charts.ts'
import { filledIn, type Panel, type Query, rows } from './panels.ts'
import { type Page, pageWidth } from './picture.ts'

/** @param interval what Grafana would put in for `$__rate_interval` */
export async function answersOf(
  prometheus: Prometheus,
  range: Range,
  interval: string,
): Promise<ReadonlyMap<Panel, readonly Series[]>> {
  const answers = new Map<Panel, readonly Series[]>()
  for (const panel of rows.flatMap(({ panels }) => panels)) {
    const series: Series[] = []
    for (const query of panel.queries) {
      const expr = filledIn(query.expr, { interval })
      const curves = await prometheus.queryRange(expr, range)
      series.push(...curves.map((curve) => named(curve, query)))
    }
    answers.set(
      panel,
      series.toSorted((a, b) => (panel.queries.length === 1 ? compare(a.name, b.name) : 0)),
    )
  }
  return answers
}

function named({ metric, points }: Curve, { legend }: Query): Series {
  const name = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '')
  // A share of nothing is no number, and no point either.
  const numbers = points.filter(([, value]) => Number.isFinite(value))
  return { name: name.trim() === '' ? 'none' : name, points: numbers }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1
}

export async function screenshot({ html, height }: Page, target: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-picture-'))
  try {
    const page = join(directory, 'page.html')
    await writeFile(page, html)
    await mustRun(
      'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        `--user-data-dir=${join(directory, 'profile')}`,
        `--window-size=${pageWidth},${height}`,
        `--screenshot=${target}`,
        `file://${page}`,
      ],
      { timeoutMs: 120_000 },
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
