/**
 * Tells which server made a denial. CoreDNS's kubernetes plugin adds an SOA of its own making to its negative answers, and only
 * such an answer may teach anything: a `template`, a stub zone or a `fallthrough` to the Internet says NXDOMAIN with another SOA
 * or none, and kube-dns, which has other rules, with other timers.
 */
import { u32 } from '../../wire/bytes.ts'
import { nameBytesMax, recordFixedBytes } from '../../wire/constants.ts'
import { copyFoldedName, copyName, skipName, wireName } from '../../wire/name.ts'
import type { SoaRecord } from '../../wire/reply.ts'
import type { ResponseScan } from '../../wire/scan.ts'

/** Fingerprint of the plugin: REFRESH, RETRY, EXPIRE (CoreDNS plugin/backend_lookup.go). */
const kubernetesTimers = [7200, 1800, 86_400]

export interface ZoneSoa {
  /** The SOA is the one that CoreDNS's kubernetes plugin makes for this zone. */
  readonly isKubernetes: boolean
  /** For our own denials; the caller sets its TTL and MINIMUM. Undefined when another server made it. */
  readonly record: SoaRecord | undefined
}

const stranger: ZoneSoa = { isKubernetes: false, record: undefined }

/** SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM (RFC 1035 3.3.13). */
const numbersBytes = 20

const owner = new Uint8Array(nameBytesMax)
const mname = new Uint8Array(nameBytesMax)
const rname = new Uint8Array(nameBytesMax)

/** Reads the SOA of a negative response. */
export class SoaReader {
  private readonly zone: Uint8Array
  private readonly expectedMname: Uint8Array
  private readonly expectedRname: Uint8Array
  private last = stranger

  /** @param zone folded wire form of the cluster zone */
  constructor(zone: Uint8Array) {
    this.zone = zone
    this.expectedMname = below('ns.dns', zone)
    this.expectedRname = below('hostmaster', zone)
  }

  /** @returns undefined when there is no SOA, or one of another zone */
  read(reply: Uint8Array, scan: ResponseScan): ZoneSoa | undefined {
    if (scan.soaIndex < 0) return undefined
    const ownerAt = scan.ownerAt[scan.soaIndex] as number
    const ownerBytes = copyFoldedName(reply, ownerAt, scan.end, owner)
    if (!isEqual(owner, ownerBytes, this.zone)) return undefined
    const mnameAt = (scan.typeAt[scan.soaIndex] as number) + recordFixedBytes
    const rnameAt = skipName(reply, mnameAt, scan.end)
    const numbersAt = rnameAt < 0 ? -1 : skipName(reply, rnameAt, scan.end)
    const mnameBytes = copyFoldedName(reply, mnameAt, scan.end, mname)
    const rnameBytes = copyFoldedName(reply, rnameAt, scan.end, rname)
    if (numbersAt < 0 || numbersAt + numbersBytes > scan.end || mnameBytes < 0 || rnameBytes < 0)
      return undefined
    const isKubernetes =
      isEqual(mname, mnameBytes, this.expectedMname) &&
      isEqual(rname, rnameBytes, this.expectedRname) &&
      kubernetesTimers.every((timer, i) => u32(reply, numbersAt + 4 + 4 * i) === timer)
    if (!isKubernetes) return stranger
    return this.kubernetes(reply, numbersAt, scan.soaTtlSeconds)
  }

  /** The serial changes once a second and denials are many, so the SOA is nearly always the previous one. */
  private kubernetes(reply: Uint8Array, numbersAt: number, ttlSeconds: number): ZoneSoa {
    const { record } = this.last
    const isSame = record?.ttlSeconds === ttlSeconds && endsWith(record.data, reply, numbersAt)
    if (isSame) return this.last
    const numbers = reply.subarray(numbersAt, numbersAt + numbersBytes)
    const data = Buffer.concat([this.expectedMname, this.expectedRname, numbers])
    this.last = { isKubernetes: true, record: { owner: this.zone, data, ttlSeconds } }
    return this.last
  }
}

function below(labels: string, zone: Uint8Array): Uint8Array {
  const prefix = wireName(labels)
  const name = new Uint8Array(prefix.length - 1 + zone.length)
  copyName(prefix, 0, prefix.length, name, 0)
  name.set(zone, prefix.length - 1)
  return name
}

function endsWith(data: Uint8Array, reply: Uint8Array, numbersAt: number): boolean {
  const from = data.length - numbersBytes
  for (let i = 0; i < numbersBytes; i++) if (data[from + i] !== reply[numbersAt + i]) return false
  return true
}

function isEqual(name: Uint8Array, nameBytes: number, expected: Uint8Array): boolean {
  if (nameBytes !== expected.length) return false
  for (let i = 0; i < nameBytes; i++) if (name[i] !== expected[i]) return false
  return true
}
