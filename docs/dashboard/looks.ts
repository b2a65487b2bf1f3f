/** How each kind of panel looks: options of Grafana's own panels, the same in both formats. Checked by the compiler against @grafana/schema. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  type GraphFieldConfig,
  LegendDisplayMode,
  LineInterpolation,
  PercentChangeColorMode,
  ScaleDistribution,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from '@grafana/schema'
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen'
import type {
  FieldConfig as StatesFieldConfig,
  Options as StatesOptions,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen'
import type { Options as LinesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
import type { Panel } from './panels.ts'

export interface Look {
  /** Grafana's name of the panel plugin. */
  readonly plugin: string
  readonly options: Record<string, unknown>
  readonly custom: Record<string, unknown>
}

export function lookOf(panel: Panel): Look {
  switch (panel.kind) {
    case 'number':
      return { plugin: 'stat', options: { ...number }, custom: {} }
    case 'lines':
      return { plugin: 'timeseries', options: { ...lines }, custom: { ...lineStyle(panel) } }
    case 'states':
      return { plugin: 'state-timeline', options: { ...states }, custom: { ...stateStyle } }
  }
}

const legend = {
  calcs: [],
  displayMode: LegendDisplayMode.List,
  placement: 'bottom',
  showLegend: true,
} as const

const tooltip = { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending } as const

const number: StatOptions = {
  colorMode: BigValueColorMode.Value,
  graphMode: BigValueGraphMode.Area,
  justifyMode: BigValueJustifyMode.Auto,
  orientation: VizOrientation.Auto,
  percentChangeColorMode: PercentChangeColorMode.Standard,
  reduceOptions: { calcs: ['lastNotNull'] },
  showPercentChange: false,
  textMode: BigValueTextMode.Value,
  wideLayout: true,
}

const lines: LinesOptions = { legend: { ...legend, calcs: [] }, tooltip }

function lineStyle({ isStacked = false, isLogarithmic = false }: Panel): GraphFieldConfig {
  return {
    drawStyle: GraphDrawStyle.Line,
    lineInterpolation: LineInterpolation.Linear,
    lineWidth: 1,
    fillOpacity: isStacked ? 40 : 8,
    showPoints: VisibilityMode.Never,
    spanNulls: false,
    ...(isLogarithmic
      ? { scaleDistribution: { type: ScaleDistribution.Log, log: 10 } }
      : { axisSoftMin: 0 }),
    stacking: { group: 'A', mode: isStacked ? StackingMode.Normal : StackingMode.None },
  }
}

const states: StatesOptions = {
  legend: { ...legend, calcs: [], showLegend: false },
  mergeValues: true,
  rowHeight: 0.8,
  showValue: VisibilityMode.Auto,
  tooltip,
}

const stateStyle: StatesFieldConfig = { fillOpacity: 70, lineWidth: 0 }
