/**
 * What CoreDNS would say to the questions by which the search path learns, and which no pod asks: whether `com.team-a.svc.cluster.local`
 * exists. Presumed from what the pods were told: a name below which nothing was found does not exist, unless a client's search list
 * shows it to be a namespace. Every presumption is counted by the caller. Pure.
 */

import { SoaReader } from '../core/search/soa.ts'
import { putU16 } from '../wire/bytes.ts'
import { Flag1, Flag2, headerBytes, Rcode, RrClass, RrType } from '../wire/constants.ts'
import { isAtOrBelow } from '../wire/name.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'
import { nameOf, type PodQuery } from './pod-query.ts'

/** Names that are kept as existing, and clients whose last names are. */
const namesMax = 100_000
const clientsMax = 4096
const namesPerClient = 16

const scan = new ResponseScan()

export class Presumption {
  private readonly zone: string
  private readonly zoneBytes: Buffer
  private readonly services: string
  private readonly soa: SoaReader
  private denial: ReturnType<SoaReader['read']>
  private readonly existing = new Set<string>()
  /** Of each client the last names below a namespace that it asked for: the part before the namespace, and the namespace. */
  private readonly asked = new Map<string, [rest: string, namespace: string][]>()

  /** @param zone cluster domain, folded wire form */
  constructor(zone: Uint8Array) {
    this.zoneBytes = Buffer.from(zone)
    this.zone = this.zoneBytes.toString('latin1')
    this.services = `\u0003svc${this.zone}`
    this.soa = new SoaReader(zone)
    this.existing.add(this.services)
    this.existing.add(`\u0003pod${this.zone}`)
  }

  note({ key, reply, client }: PodQuery): void {
    const name = nameOf(key)
    if (reply === undefined || !this.isInside(name)) return
    if (!scanResponse(reply, reply.length, scan)) return
    if (scan.rcode === Rcode.noerror) this.exists(name)
    if (scan.rcode === Rcode.nxdomain) this.denial = this.soa.read(reply, scan) ?? this.denial
    if (name.endsWith(this.services)) this.noteWalk(client, name)
  }

  /**
   * @param query header and question in folded form
   * @returns undefined for a name that is not the cluster's, and while nothing has been denied there
   */
  replyTo(query: Buffer, questionEnd: number): Buffer | undefined {
    const name = query.toString('latin1', headerBytes, questionEnd - 4)
    const record = this.denial?.record
    if (!this.isInside(name) || record === undefined) return undefined
    const reply = Buffer.alloc(questionEnd + record.owner.length + 10 + record.data.length)
    query.copy(reply, 0, 0, questionEnd)
    reply[2] = Flag1.qr | Flag1.aa | Flag1.rd
    reply[3] = Flag2.ra | (this.existing.has(name) ? Rcode.noerror : Rcode.nxdomain)
    putU16(reply, 4, 1)
    putU16(reply, 6, 0)
    putU16(reply, 8, 1)
    putU16(reply, 10, 0)
    reply.set(record.owner, questionEnd)
    const at = questionEnd + record.owner.length
    putU16(reply, at, RrType.soa)
    putU16(reply, at + 2, RrClass.in)
    reply.writeUInt32BE(record.ttlSeconds, at + 4)
    putU16(reply, at + 8, record.data.length)
    reply.set(record.data, at + 10)
    return reply
  }

  private isInside(name: string): boolean {
    const { zoneBytes } = this
    const bytes = Buffer.from(name, 'latin1')
    return isAtOrBelow(bytes, bytes.length, zoneBytes, zoneBytes.length)
  }

  /** What has data, or has no data of one type, exists; so does all above it. */
  private exists(name: string): void {
    for (let rest = name; rest.length >= this.zone.length; rest = parentOf(rest)) {
      if (this.existing.size >= namesMax && !this.existing.has(rest)) return
      this.existing.add(rest)
      if (rest === this.zone) return
    }
  }

  /** A client that asks for `a.ns.svc.Z` and then for `a.svc.Z` has `ns` in its search list. */
  private noteWalk(client: string, name: string): void {
    const labels = name.slice(0, -this.services.length)
    if (labels === '') return
    const last = this.asked.get(client) ?? []
    for (const [rest, namespace] of last) if (rest === labels) this.exists(namespace)
    const at = lastLabelAt(labels)
    if (at > 0) last.push([labels.slice(0, at), labels.slice(at) + this.services])
    if (last.length > namesPerClient) last.shift()
    if (this.asked.size >= clientsMax && !this.asked.has(client)) this.asked.clear()
    this.asked.set(client, last)
  }
}

function parentOf(name: string): string {
  return name.slice(name.charCodeAt(0) + 1)
}

/** @param labels a name's, without the root */
function lastLabelAt(labels: string): number {
  let at = 0
  for (;;) {
    const next = at + labels.charCodeAt(at) + 1
    if (next >= labels.length) return at
    at = next
  }
}
