/** Reads the parameters of calls: names, types, numbers. Every mistake is one line for the person who asked. */
import type { Selection } from '../../core/cache/selection.ts'
import { parseType } from '../../core/explain.ts'
import { parseName } from '../../wire/name.ts'

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string }

/** `name` or `under`, `type`, `negative`, or `all`; without any of them there is no selection. */
export function readSelection(params: URLSearchParams): Read<Selection | undefined> {
  const unknown = [...params.keys()].find((key) => !known.has(key))
  if (unknown !== undefined) return mistake(`unknown parameter ${JSON.stringify(unknown)}`)
  const [exact, under] = [params.get('name'), params.get('under')]
  const text = exact ?? under
  const octets = text === null ? undefined : parseName(text)
  if (text === '' || (text !== null && octets === undefined))
    return mistake(`${JSON.stringify(text)} is not a domain name`)
  const type = params.get('type')
  const qtype = type === null ? undefined : parseType(type)
  if (type !== null && qtype === undefined)
    return mistake(
      `${JSON.stringify(type)} is not a record type; write a name such as AAAA, or TYPE65`,
    )
  const isNegativeOnly = params.has('negative')
  const hasAny = text !== null || type !== null || isNegativeOnly || params.has('all')
  if (!hasAny) return { ok: true, value: undefined }
  const name = octets && Buffer.from(octets).toString('latin1')
  return { ok: true, value: { name, hasSubtree: exact === null, qtype, isNegativeOnly } }
}

const known: ReadonlySet<string> = new Set([
  'name',
  'under',
  'type',
  'negative',
  'all',
  'limit',
  'records',
])

/** @returns `fallback` when it is not given */
export function readWhole(
  params: URLSearchParams,
  name: string,
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
): Read<number> {
  const text = params.get(name)
  if (text === null) return { ok: true, value: fallback }
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return { ok: true, value }
  return mistake(
    `${name} is ${JSON.stringify(text)}; expected a whole number from ${min} to ${max}`,
  )
}

function mistake(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why }
}
