/** What can be required of a reply. Each says what was seen when it does not hold. */
import { typeNumbers } from '../../support/client/dns-message.ts'
import type { Property, Seen } from './case.ts'

const rcodeNames: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  9: 'NOTAUTH',
}

/** In few words what came back. */
export function describe({ reply, problem, ms }: Seen): string {
  const time = ms >= 1000 ? ` after ${(ms / 1000).toFixed(1)} s` : ''
  if (reply === undefined) return `${problem}${time}`
  const rcode = rcodeNames[reply.rcode] ?? `rcode ${reply.rcode}`
  const data = reply.answers.map((record) => record.data)
  const shown =
    data.length > 3 ? `${data.slice(0, 3).join(', ')} and ${data.length - 3} more` : data.join(', ')
  const what = reply.rcode === 0 && shown !== '' ? shown : rcode
  const empty = reply.rcode === 0 && shown === '' ? ' without data' : ''
  return `${what}${empty}${reply.tc ? ' with TC' : ''}${time}`
}

function unless(holds: (seen: Seen) => boolean): Property {
  return (seen) => (holds(seen) ? undefined : describe(seen))
}

/** Records of the type asked for, in any order, exactly these. */
export function data(...wanted: readonly string[]): Property {
  return unless(({ reply }) => {
    if (reply?.rcode !== 0) return false
    const got = reply.answers
      .filter(({ type }) => type !== typeNumbers.CNAME)
      .map((one) => one.data)
    return got.toSorted().join() === [...wanted].toSorted().join()
  })
}

/** The data of the whole answer section, in this order. */
export function exactly(...wanted: readonly string[]): Property {
  return unless(
    ({ reply }) =>
      reply?.rcode === 0 && reply.answers.map((one) => one.data).join() === wanted.join(),
  )
}

/** So many records in the answer section, none of them left out. */
export function complete(count: number): Property {
  return (seen) => {
    const { reply, octets } = seen
    if (reply?.rcode === 0 && !reply.tc && reply.answers.length === count) return undefined
    if (reply === undefined) return describe(seen)
    return `${reply.answers.length} of ${count} records in ${octets.length} bytes${reply.tc ? ', TC' : ''}`
  }
}

export function rcode(...wanted: readonly number[]): Property {
  return unless(({ reply }) => reply !== undefined && wanted.includes(reply.rcode))
}

export const nxdomain = rcode(3)

/** NOERROR without records of the type. */
export const nodata = unless(
  ({ reply }) =>
    reply?.rcode === 0 && reply.answers.every(({ type }) => type === typeNumbers.CNAME),
)

export const anyReply = unless(({ reply }) => reply !== undefined)

export function within(ms: number): Property {
  return (seen) => (seen.ms <= ms ? undefined : `${describe(seen)} (allowed ${ms} ms)`)
}

/** No TTL in the answer section is above this. */
export function ttlAtMost(seconds: number): Property {
  return ({ reply }) => {
    const longest = Math.max(0, ...(reply?.answers ?? []).map(({ ttl }) => ttl))
    return longest <= seconds ? undefined : `TTL ${longest}`
  }
}

/** Bits of the header that must be off: what one server says of itself is not another's. */
export function off(...bits: readonly ('aa' | 'ad' | 'cd' | 'ra' | 'tc')[]): Property {
  return ({ reply }) => {
    const set = bits.filter((bit) => reply?.[bit])
    return set.length === 0 ? undefined : `${set.join(' and ').toUpperCase()} set`
  }
}

export function on(...bits: readonly ('aa' | 'ra' | 'tc')[]): Property {
  return (seen) => {
    const missing = bits.filter((bit) => seen.reply?.[bit] !== true)
    return missing.length === 0
      ? undefined
      : `${describe(seen)}, ${missing.join(' and ').toUpperCase()} not set`
  }
}

/** Every alias stands before the records of the name that it leads to. */
export const aliasesFirst: Property = (seen) => {
  const answers = seen.reply?.answers ?? []
  const late = answers.findIndex(
    ({ type, data: target }, at) =>
      type === typeNumbers.CNAME &&
      answers.slice(0, at).some(({ name }) => name.toLowerCase() === target.toLowerCase()),
  )
  return late < 0 ? undefined : `CNAME behind what it leads to: ${describe(seen)}`
}

/** With `askTimes`: every one of these comes first in at least one reply. */
export function firstOnes(
  type: 'A' | 'AAAA',
  count: number,
): (all: readonly Seen[]) => string | undefined {
  return (all) => {
    const firsts = all.map(
      ({ reply }) => reply?.answers.find((one) => one.type === typeNumbers[type])?.data,
    )
    const different = new Set(firsts)
    if (different.has(undefined)) return 'a reply without addresses'
    return different.size >= count
      ? undefined
      : `${different.size} of ${count} addresses come first in ${all.length} replies`
  }
}
