/** Numbers with their units, as Grafana writes them. Pure. */
import type { Panel } from './panels.ts'

type Unit = Panel['unit']

export function withUnit(value: number, unit: Unit, decimals?: number): string {
  if (!Number.isFinite(value)) return 'no data'
  switch (unit) {
    case 'percentunit':
      return `${(value * 100).toFixed(decimals ?? 0)} %`
    case 's':
      return duration(value)
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB'])
    case 'reqps':
    case 'ops':
      return `${plain(value)}/s`
    case 'short':
    case 'none':
      return plain(value)
  }
}

function duration(seconds: number): string {
  if (seconds === 0) return '0'
  if (seconds < 0.001) return `${plain(seconds * 1e6)} µs`
  if (seconds < 1) return `${plain(seconds * 1e3)} ms`
  return `${plain(seconds)} s`
}

function scaled(value: number, base: number, names: readonly string[]): string {
  if (value === 0) return '0'
  const whole = Math.floor(Math.log(value) / Math.log(base))
  const power = Math.max(0, Math.min(names.length - 1, whole))
  return `${plain(value / base ** power)} ${names[power]}`
}

/** Three digits are enough to read. */
function plain(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}

/** Round steps from zero to above `highest`, for an axis. */
export function axisSteps(highest: number, unit: Unit): number[] {
  const base = unit === 'bytes' ? 1024 ** Math.floor(Math.log(highest || 1) / Math.log(1024)) : 1
  const top = highest / base || 1
  const power = 10 ** Math.floor(Math.log10(top / 4))
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power * 4 >= top) ?? 10)
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, n) => n * step * base)
}

/** Powers of ten around all values, for a logarithmic axis. */
export function decades(values: readonly number[]): number[] {
  const above = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...above, 1)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...above, Number.MIN_VALUE))))
  return Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n))
}
