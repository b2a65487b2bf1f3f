/**
 * Goal: the dashboard asks for what is published, in both of Grafana's forms alike. Method: its description beside the metric
 * definitions, and the two files read back. That every query has an answer is seen in alerts.test.ts, its form by the compiler
 * (docs/dashboard, against @grafana/schema), its freshness with the other generated files.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Series } from '../../docs/dashboard/charts.ts'
import { filledIn, type Panel, rows } from '../../docs/dashboard/panels.ts'
import { pageOf } from '../../docs/dashboard/picture.ts'
import { withUnit } from '../../docs/dashboard/units.ts'
import { labelsAsked, metricsAsked, publishedFamilies } from './expressions.ts'
import { monitoring } from './rules.ts'

const test = suite('watch/dashboard')

const panels = rows.flatMap((row) => row.panels)
const queries = panels.flatMap((panel) => panel.queries.map(({ expr }) => ({ panel, expr })))

test('every series and label that a panel asks for is published', () => {
  const published = publishedFamilies()
  for (const { panel, expr } of queries) {
    const asked = metricsAsked(expr)
    assert.ok(asked.length > 0, panel.title)
    for (const name of asked) {
      assert.ok(published.has(name), `${panel.title}: ${name}`)
      const labels = [...labelsAsked(expr, name), ...groupedBy(expr)]
      const wrong = labels.filter((label) => !published.get(name)?.has(label))
      assert.equal(wrong, [], `${panel.title}: ${name}`)
    }
  }
})

function groupedBy(expr: string): string[] {
  return [...expr.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '))
}

test('every query follows the variable for nodes, and nothing of Grafana is left once it is filled in', () => {
  for (const { panel, expr } of queries) {
    assert.ok(expr.includes('node=~"$node"'), panel.title)
    assert.not.match(filledIn(expr), /\$/, panel.title)
  }
})

test('each row fills the grid, and each panel says what it means', () => {
  for (const row of rows) {
    assert.is(
      row.panels.reduce((sum, { width }) => sum + width, 0),
      24,
      row.title,
    )
    assert.is(new Set(row.panels.map(({ height }) => height)).size, 1, row.title)
  }
  for (const { title, about } of panels) assert.match(about, /\.$/, title)
  assert.is(new Set(panels.map(({ title }) => title)).size, panels.length)
})

test('both forms have the same panels with the same queries', () => {
  type Classic = { panels: { type: string; title: string; targets?: { expr: string }[] }[] }
  const classic = (read('dashboard.json') as Classic).panels
    .filter(({ type }) => type !== 'row')
    .map(({ title, targets = [] }) => [title, ...targets.map(({ expr }) => expr)])
  type Element = {
    spec: {
      title: string
      data: { spec: { queries: { spec: { query: { spec: { expr: string } } } }[] } }
    }
  }
  const { spec } = read('dashboard-v2.json') as { spec: { elements: Record<string, Element> } }
  const resource = Object.values(spec.elements).map(({ spec: { title, data } }) => [
    title,
    ...data.spec.queries.map((one) => one.spec.query.spec.expr),
  ])
  assert.equal(classic, resource)
  assert.is(classic.length, panels.length)
})

test('the picture bears answers that are empty, zero, single, tiny and huge', () => {
  const times = { startSeconds: 1000, endSeconds: 1300 }
  const points: readonly Series['points'][] = [
    [],
    [[1000, 0]],
    [[1150, 1e-7]],
    [
      [1000, 0],
      [1300, 1e12],
    ],
    [
      [1100, 0.5],
      [1200, 0],
    ],
  ]
  const series = points.map((one, n) => ({ name: `series <${n}>`, points: one }))
  for (const given of [...series.map((one) => [one]), series, []]) {
    const { html, height } = pageOf(new Map(panels.map((panel) => [panel, given])), times)
    assert.not.match(html, /NaN|undefined|Infinity/)
    assert.not.match(html, /series </, 'it is escaped')
    assert.ok(height > 1000 && height < 3000)
  }
})

test('numbers have the units that one reads', () => {
  const cases: readonly [number, Panel['unit'], string][] = [
    [0.000_131, 's', '131 µs'],
    [0.0174, 's', '17.4 ms'],
    [2.5, 's', '2.5 s'],
    [0.957, 'percentunit', '96 %'],
    [134_217_728, 'bytes', '128 MiB'],
    [220.4, 'reqps', '220/s'],
    [0, 'bytes', '0'],
    [Number.NaN, 's', 'no data'],
  ]
  for (const [value, unit, text] of cases) assert.is(withUnit(value, unit), text)
})

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(monitoring, file), 'utf8')) as unknown
}

test.run()
