/**
 * The dashboard in Grafana's classic model, which Grafana 10 to 13 import by hand, from a ConfigMap and over the API. Its form is
 * checked by the compiler against @grafana/schema.
 */
import {
  type Dashboard,
  DashboardCursorSync,
  FieldColorModeId,
  type FieldConfig,
  type Panel as GrafanaPanel,
  MappingType,
  type RowPanel,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema'
import { layOut, type PlacedPanel, type PlacedRow } from './layout.ts'
import { lookOf } from './looks.ts'
import { about, nodesQuery, type Panel, stateMapping } from './panels.ts'

/** The data source is a variable: whatever Prometheus is there. */
const datasource = { type: 'prometheus', uid: `\${datasource}` }

export function classicDashboard(): Dashboard {
  return {
    title: about.title,
    uid: about.uid,
    description: about.description,
    tags: ['neardns', 'dns'],
    // The last number of the model before `v2`; Grafana migrates from it.
    schemaVersion: 42,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    time: { from: 'now-3h', to: 'now' },
    refresh: '30s',
    timezone: 'browser',
    templating: { list: [datasourceVariable, nodeVariable] },
    annotations: { list: [] },
    panels: layOut().flatMap((row) => [rowOf(row), ...row.panels.map(panelOf)]),
  }
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
} as const

const nodeVariable = {
  name: 'node',
  label: 'Node',
  type: 'query',
  datasource,
  query: { query: nodesQuery, refId: 'nodes' },
  refresh: VariableRefresh.onTimeRangeChanged,
  sort: VariableSort.naturalAsc,
  includeAll: true,
  allValue: '.*',
  multi: true,
  current: { text: 'All', value: '$__all' },
} as const

function rowOf({ id, title, y }: PlacedRow): RowPanel {
  return { id, title, type: 'row', collapsed: false, panels: [], gridPos: { x: 0, y, w: 24, h: 1 } }
}

function panelOf({ id, panel, place }: PlacedPanel): GrafanaPanel {
  const { plugin, options, custom } = lookOf(panel)
  return {
    id,
    title: panel.title,
    description: panel.about,
    type: plugin,
    datasource,
    gridPos: place,
    options,
    fieldConfig: { defaults: { ...defaultsOf(panel), custom }, overrides: [] },
    targets: panel.queries.map(({ expr, legend }, n) => ({
      refId: refId(n),
      datasource,
      expr,
      legendFormat: legend,
      range: true,
    })),
  }
}

function defaultsOf(panel: Panel): FieldConfig {
  const { kind, unit, thresholds, decimals } = panel
  const steps = thresholds?.map(({ from, colour }) => ({ value: from, color: colour }))
  return {
    unit,
    ...(decimals === undefined ? {} : { decimals }),
    ...(steps && { thresholds: { mode: ThresholdsMode.Absolute, steps } }),
    ...(kind === 'states' && {
      mappings: [{ type: MappingType.ValueToText, options: stateMapping(panel) }],
    }),
    color: {
      mode: kind === 'lines' ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds,
    },
  }
}

export function refId(n: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + n)
}
