/**
 * The dashboard as a resource of Grafana's API (`dashboard.grafana.app/v2`, the current schema, Grafana 13): for those who keep dashboards as
 * objects. Its form is checked by the compiler against @grafana/schema.
 */
import type {
  FieldConfig,
  PanelKind,
  QueryVariableKind,
  RowsLayoutRowKind,
  Spec,
  VariableKind,
} from '@grafana/schema/apis/dashboard.grafana.app/v2'
import { refId } from './classic.ts'
import { layOut, type PlacedPanel, type PlacedRow } from './layout.ts'
import { lookOf } from './looks.ts'
import { about, nodesQuery, type Panel, type Query, stateMapping } from './panels.ts'

export interface DashboardResource {
  readonly apiVersion: 'dashboard.grafana.app/v2'
  readonly kind: 'Dashboard'
  readonly metadata: { readonly name: string }
  readonly spec: Spec
}

export function dashboardResource(): DashboardResource {
  return {
    apiVersion: 'dashboard.grafana.app/v2',
    kind: 'Dashboard',
    metadata: { name: about.uid },
    spec: spec(),
  }
}

function spec(): Spec {
  const rows = layOut()
  return {
    title: about.title,
    description: about.description,
    tags: ['neardns', 'dns'],
    annotations: [],
    cursorSync: 'Crosshair',
    editable: true,
    links: [],
    preload: false,
    timeSettings: {
      from: 'now-3h',
      to: 'now',
      timezone: 'browser',
      autoRefresh: '30s',
      autoRefreshIntervals: ['30s', '1m', '5m'],
      hideTimepicker: false,
      fiscalYearStartMonth: 0,
    },
    variables: [datasourceVariable, nodeVariable],
    elements: Object.fromEntries(
      rows.flatMap(({ panels }) => panels.map((placed) => [nameOf(placed), panelOf(placed)])),
    ),
    layout: { kind: 'RowsLayout', spec: { rows: rows.map(rowOf) } },
  }
}

const datasource = { name: `\${datasource}` }

const datasourceVariable: VariableKind = {
  kind: 'DatasourceVariable',
  spec: {
    name: 'datasource',
    label: 'Data source',
    pluginId: 'prometheus',
    refresh: 'onDashboardLoad',
    regex: '',
    current: { text: '', value: '' },
    options: [],
    multi: false,
    includeAll: false,
    hide: 'dontHide',
    skipUrlSync: false,
    allowCustomValue: false,
  },
}

const nodeVariable: QueryVariableKind = {
  kind: 'QueryVariable',
  spec: {
    name: 'node',
    label: 'Node',
    query: {
      kind: 'DataQuery',
      group: 'prometheus',
      version: 'v0',
      datasource,
      spec: { query: nodesQuery, refId: 'nodes' },
    },
    refresh: 'onTimeRangeChanged',
    sort: 'naturalAsc',
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: 'All', value: '$__all' },
    options: [],
    regex: '',
    hide: 'dontHide',
    skipUrlSync: false,
    allowCustomValue: true,
  },
}

function rowOf({ title, panels }: PlacedRow): RowsLayoutRowKind {
  return {
    kind: 'RowsLayoutRow',
    spec: {
      title,
      collapse: false,
      layout: {
        kind: 'GridLayout',
        spec: {
          items: panels.map((placed) => ({
            kind: 'GridLayoutItem',
            spec: {
              x: placed.inRow.x,
              y: placed.inRow.y,
              width: placed.inRow.w,
              height: placed.inRow.h,
              element: { kind: 'ElementReference', name: nameOf(placed) },
            },
          })),
        },
      },
    },
  }
}

function panelOf({ id, panel }: PlacedPanel): PanelKind {
  const { plugin, options, custom } = lookOf(panel)
  return {
    kind: 'Panel',
    spec: {
      id,
      title: panel.title,
      description: panel.about,
      links: [],
      data: {
        kind: 'QueryGroup',
        spec: { queries: panel.queries.map(queryOf), transformations: [], queryOptions: {} },
      },
      vizConfig: {
        kind: 'VizConfig',
        group: plugin,
        version: '',
        spec: {
          options,
          fieldConfig: { defaults: { ...defaultsOf(panel), custom }, overrides: [] },
        },
      },
    },
  }
}

function queryOf({ expr, legend }: Query, n: number) {
  return {
    kind: 'PanelQuery' as const,
    spec: {
      refId: refId(n),
      hidden: false,
      query: {
        kind: 'DataQuery' as const,
        group: 'prometheus',
        version: 'v0',
        datasource,
        spec: { expr, legendFormat: legend, range: true },
      },
    },
  }
}

function defaultsOf(panel: Panel): FieldConfig {
  const { kind, unit, thresholds, decimals } = panel
  const steps = thresholds?.map(({ from, colour }) => ({ value: from, color: colour }))
  return {
    unit,
    ...(decimals === undefined ? {} : { decimals }),
    ...(steps && { thresholds: { mode: 'absolute' as const, steps } }),
    ...(kind === 'states' && {
      mappings: [{ type: 'value' as const, options: stateMapping(panel) }],
    }),
    color: { mode: kind === 'lines' ? 'palette-classic' : 'thresholds' },
  }
}

function nameOf({ id }: PlacedPanel): string {
  return `panel-${id}`
}
