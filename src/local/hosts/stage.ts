/**
 * Names with addresses from files of hosts(5) and from the configuration, as a stage of the resolver. The rules are those of CoreDNS's hosts
 * plugin: a name with an entry has no data of other types, one without gets SERVFAIL unless it goes on, a reverse name without goes on.
 */
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import type { ForetoldReply } from '../../core/stages/stage.ts'
import { type Family, single } from '../../observe/families/family.ts'
import { Rcode, RrClass, RrType } from '../../wire/constants.ts'
import { boundImage } from '../bounded.ts'
import type { LocalOutlook, LocalStage } from '../local-stage.ts'
import { answerMessage } from '../records/record.ts'
import { type LocalResult, noResults, resultFamily } from '../result-counts.ts'
import { Scope, ZoneSet } from '../scope.ts'
import type { LocalSettings } from '../settings.ts'
import { HostsTable } from './table.ts'

type HostsSettings = LocalSettings['hosts'][number]

export interface HostsFinding {
  readonly result: LocalResult
  readonly image: Buffer | undefined
  readonly why: string
}

interface Hosts {
  readonly settings: HostsSettings
  readonly scope: Scope
  readonly passed: ZoneSet
  readonly table: HostsTable
}

export class HostsStage implements LocalStage<HostsFinding> {
  readonly name = 'hosts'
  readonly counts = noResults()
  private lists: readonly Hosts[] = []
  private outlook: LocalOutlook

  constructor(outlook: LocalOutlook) {
    this.outlook = outlook
    this.reconfigure(outlook)
  }

  reconfigure(outlook: LocalOutlook): void {
    this.outlook = outlook
    this.lists = outlook.settings.hosts.map((settings) => hostsOf(settings, outlook))
  }

  judge(inquiry: Inquiry): HostsFinding | undefined {
    if (inquiry.question.qclass !== RrClass.in) return undefined
    for (const hosts of this.lists) {
      const found = judgeBy(hosts, inquiry)
      if (found === undefined) continue
      const { name, nameBytes } = inquiry.key
      if (found.image !== undefined) boundImage(found.image, this.outlook.limitsOf(name, nameBytes))
      return found
    }
    return undefined
  }

  commit({ decision }: Inquiry, { result, image }: HostsFinding): true {
    this.counts[result] += 1
    decision.reply({ image, rcode: rcodeOf(image), source: ReplySource.local, ede: -1 }, -1)
    return true
  }

  foretell(_inquiry: Inquiry, { image, why }: HostsFinding): ForetoldReply {
    return { kind: 'reply', why, source: ReplySource.local, rcode: rcodeOf(image), image }
  }

  alters(name: Uint8Array, nameBytes: number): boolean {
    const text = Buffer.from(name.buffer, name.byteOffset, nameBytes).toString('latin1')
    return this.lists.some(
      ({ table, scope, passed }) =>
        table.addressesOf(text) !== undefined ||
        table.namesOf(text).length > 0 ||
        (scope.zoneOf(name, nameBytes) !== undefined && !passed.holds(name, nameBytes)),
    )
  }

  families(): Family[] {
    return [
      resultFamily(
        'neardns_hosts_total',
        'Questions answered from entries of hosts, by result: records, no data of this type, or SERVFAIL because the name has no entry.',
        this.counts,
      ),
      single(
        'gauge',
        ['neardns_hosts_entries', 'Addresses and reverse names in the entries of hosts.'],
        () => this.lists.reduce((sum, { table }) => sum + table.size, 0),
      ),
    ]
  }
}

function hostsOf(settings: HostsSettings, { textOf }: LocalOutlook): Hosts {
  const { file, entries, reloadSeconds, reverse, fallthrough } = settings
  const scope = new Scope(settings)
  const texts = [file === null ? '' : textOf(file, reloadSeconds), entries.join('\n')]
  const table = new HostsTable(texts, scope, reverse)
  return { settings, scope, passed: new ZoneSet(fallthrough), table }
}

/** @returns undefined when the question goes on */
function judgeBy(hosts: Hosts, inquiry: Inquiry): HostsFinding | undefined {
  const { scope, passed, settings, table } = hosts
  const { key, question } = inquiry
  const { name, nameBytes } = key
  const { qtype } = question
  const text = key.nameText()
  if (qtype === RrType.ptr) {
    const names = scope.leavesOut(name, nameBytes) ? [] : table.namesOf(text)
    return names.length === 0 ? undefined : answer(hosts, inquiry, names)
  }
  if (scope.zoneOf(name, nameBytes) === undefined) return undefined
  const isAddress = qtype === RrType.a || qtype === RrType.aaaa
  const isPassed = passed.holds(name, nameBytes)
  if (!isAddress && settings.fallthroughUnsupported && isPassed) return undefined
  const addresses = table.addressesOf(text)
  if (addresses === undefined) {
    const why = 'a list of hosts is for this name, has no entry for it, and passes no such name on'
    return isPassed ? undefined : { result: 'failure', image: undefined, why }
  }
  const data = qtype === RrType.a ? addresses.v4 : qtype === RrType.aaaa ? addresses.v6 : []
  return answer(hosts, inquiry, data)
}

function answer(
  { settings }: Hosts,
  { query, question, key }: Inquiry,
  data: readonly Uint8Array[],
): HostsFinding {
  const owner = Uint8Array.from(key.name.subarray(0, key.nameBytes))
  const { ttlSeconds } = settings
  const common = { owner, type: question.qtype, class: RrClass.in, ttlSeconds }
  const answers = data.map((one) => ({ ...common, data: one }))
  const image = answerMessage(query, question, { rcode: Rcode.noerror, answers })
  const why = `an entry of hosts, in ${settings.file ?? 'the configuration'}`
  if (image === undefined)
    return { result: 'failure', image, why: `${why}, too long for a message` }
  return { result: data.length > 0 ? 'answer' : 'denial', image, why }
}

function rcodeOf(image: Buffer | undefined): number {
  return image === undefined ? Rcode.servfail : Rcode.noerror
}
