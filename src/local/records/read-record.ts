/** Reads one record in presentation form: `OWNER [TTL] [CLASS] TYPE DATA`, TTL and class in either order (RFC 1035 5.1, RFC 3597 5). */
import type { Parsed } from '../../config/address.ts'
import { parseType } from '../../core/explain.ts'
import { RrClass, RrType } from '../../wire/constants.ts'
import { parseName } from '../../wire/name.ts'
import { readData, readSeconds } from './rdata.ts'
import type { LocalRecord } from './record.ts'
import { splitRecord } from './tokens.ts'

/** That of CoreDNS's library for a record without one. */
const ttlSecondsDefault = 3600

const types: ReadonlyMap<string, number> = new Map(Object.entries(RrType))
const classes: ReadonlyMap<string, number> = new Map(Object.entries(RrClass))

const shape = 'NAME TTL CLASS TYPE DATA, as in "www.example. 60 IN A 192.0.2.1"'

/** Names without a trailing dot are absolute all the same: there is no zone that they could be relative to. */
export function readRecord(text: string): Parsed<LocalRecord> {
  const split = splitRecord(text)
  if (!split.ok) return wrong(text, split.why)
  const [first, ...others] = split.value
  if (first === undefined) return wrong(text, `is empty; expected ${shape}`)
  const owner = parseName(first)
  if (owner === undefined) return wrong(text, `${JSON.stringify(first)} is no domain name`)
  const { ttlSeconds, rrClass, taken } = readMiddle(others)
  const typeWord = others[taken]
  if (typeWord === undefined) return wrong(text, `has no type; expected ${shape}`)
  const type = types.get(typeWord.toLowerCase()) ?? parseType(typeWord)
  if (type === undefined) return wrong(text, `${JSON.stringify(typeWord)} is no type`)
  const data = readData(type, typeWord.toUpperCase(), others.slice(taken + 1))
  if (!data.ok) return wrong(text, data.why)
  return { ok: true, value: { owner, type, class: rrClass, ttlSeconds, data: data.value } }
}

interface Middle {
  readonly ttlSeconds: number
  readonly rrClass: number
  /** Words that these two took. */
  readonly taken: number
}

function readMiddle(words: readonly string[]): Middle {
  let ttlSeconds: number | undefined
  let rrClass: number | undefined
  let taken = 0
  for (; taken < 2; taken++) {
    const text = words[taken] ?? ''
    const asTtl = ttlSeconds === undefined ? readSeconds(text) : undefined
    const asClass = rrClass === undefined ? parseClass(text) : undefined
    if (asTtl === undefined && asClass === undefined) break
    ttlSeconds ??= asTtl
    rrClass ??= asClass
  }
  return { ttlSeconds: ttlSeconds ?? ttlSecondsDefault, rrClass: rrClass ?? RrClass.in, taken }
}

/** @returns the number of a class by its mnemonic or `CLASSn` (RFC 3597 5), or undefined */
export function parseClass(text: string): number | undefined {
  const known = classes.get(text.toLowerCase())
  // "any" is a type here.
  if (known !== undefined) return known === RrClass.any ? undefined : known
  const number = /^class(\d{1,5})$/i.exec(text)?.[1]
  return number !== undefined && Number(number) <= 65_535 ? Number(number) : undefined
}

function wrong(text: string, why: string): Parsed<never> {
  return { ok: false, why: `the record ${JSON.stringify(text)}: ${why}` }
}
