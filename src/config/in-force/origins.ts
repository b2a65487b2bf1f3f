/**
 * The settings of a configuration one by one, each with where its value came from: a place in a file, a flag, an environment variable, the
 * Corefile, or the default. Pure and light: the daemon uses it, which has no schema.
 */
import { formatEndpoint } from '../../address/endpoint.ts'
import { formatUpstream, type Upstream } from '../../address/upstream-url.ts'
import { type Origins, type Path, pathText } from '../problem.ts'
import type { Config } from '../schema.ts'

export interface SettingView {
  readonly path: string
  /** As people write it. */
  readonly value: string
  /** `neardns.yaml:3`, `--listen`, `default`. */
  readonly from: string
}

export const defaultOrigin = 'default'

/** Every setting; of entries of lists (zones, hosts) only what somebody has written. */
export function settingsOf({ origins = {}, ...config }: Config): SettingView[] {
  const views: SettingView[] = []
  for (const { path, value } of leaves(config)) {
    const from = originOf(path, origins)
    const isOfEntry = path.some((part) => typeof part === 'number')
    if (from !== undefined || !isOfEntry)
      views.push({ path: pathText(path), value: valueText(value), from: from ?? defaultOrigin })
  }
  return views
}

/**
 * @param note what is said of a setting that has another value in `other`
 * @returns the configuration, with that in its origins
 */
export function noted(
  config: Config,
  other: Config,
  note: (view: SettingView, otherValue: string) => string | undefined,
): Config {
  const before = new Map(settingsOf(other).map(({ path, value }) => [path, value]))
  const origins: Record<string, string> = { ...config.origins }
  for (const view of settingsOf(config)) {
    const otherValue = before.get(view.path)
    if (otherValue === undefined || otherValue === view.value) continue
    const said = note(view, otherValue)
    if (said !== undefined) origins[view.path] = said
  }
  return { ...config, origins }
}

/** A list of single values is one. */
export function leaves(value: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (isEntryList(value)) return value.flatMap((one, at) => leaves(one, [...path, at]))
  if (!isSection(value) || isAddress(value)) return [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
}

/** A text in the file may have become a section: what was said of it is said of its parts. */
function originOf(path: Path, origins: Origins): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const text = pathText(path.slice(0, length))
    if (Object.hasOwn(origins, text)) return origins[text]
  }
  return undefined
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(', ')
  if (value === null || value === undefined) return 'none'
  if (isAddress(value)) {
    if ('transport' in value) return formatUpstream(value as Upstream)
    return 'port' in value ? formatEndpoint(value as Upstream) : value.address
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAddress(value: unknown): value is { readonly address: string } {
  return isSection(value) && typeof value['address'] === 'string' && 'family' in value
}

function isEntryList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.some((one) => isSection(one) && !isAddress(one))
}
