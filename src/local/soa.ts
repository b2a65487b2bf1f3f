/** The SOA of denials that are made from the configuration: that of a zone served locally (RFC 6303 3). */
import { putU32 } from '../wire/bytes.ts'
import { wireName } from '../wire/name.ts'
import type { SoaRecord } from '../wire/reply.ts'

const names = Buffer.concat([wireName('localhost.'), wireName('nobody.invalid.')])
const serial = 1
const refreshSeconds = 3600
const retrySeconds = 1200
const expireSeconds = 604_800

/** @param ttlSeconds also its MINIMUM: how long clients may keep the denial (RFC 2308 5) */
export function localSoa(owner: Uint8Array, ttlSeconds: number): SoaRecord {
  const numbers = [serial, refreshSeconds, retrySeconds, expireSeconds, ttlSeconds]
  const data = new Uint8Array(names.length + 4 * numbers.length)
  data.set(names)
  for (const [i, value] of numbers.entries()) putU32(data, names.length + 4 * i, value)
  return { owner, data, ttlSeconds }
}
