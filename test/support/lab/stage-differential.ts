/**
 * The same questions put to a real CoreDNS and to neardns with settings that mean the same: what one says that the other does not. Behind
 * both is one upstream, another server block of that CoreDNS. Compared are RCODE, the question with its letter case, and the records of all
 * sections but OPT with their TTLs.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeMessage } from '../../../src/wire/message.ts'
import { recordLine } from '../../../src/wire/record-text.ts'
import { askUdp, type Server } from '../client/dns-client.ts'
import { type TypeName, writeQuery } from '../client/dns-message.ts'
import { Coredns } from '../coredns.ts'
import { freePort } from '../free-port.ts'
import { Neardns } from '../neardns.ts'

export interface StageCase {
  /** Plugins of the server block `.` but `forward`. DIRECTORY stands for that of the files. */
  readonly corefile: string
  /** Settings of neardns, YAML; DIRECTORY as well. */
  readonly settings: string
  /** What the upstream says: plugins. */
  readonly upstream: string
  readonly files?: Readonly<Record<string, string>>
}

export type StageQuestion = readonly [qname: string, type: TypeName]

export interface Difference {
  readonly question: string
  readonly coredns: string
  readonly neardns: string
}

export class StageDifferential {
  readonly directory: string
  readonly neardns: Neardns
  private readonly startedMs = performance.now()
  private readonly coredns: Coredns
  private readonly servers: { readonly coredns: Server; readonly neardns: Server }

  private constructor(
    directory: string,
    programs: { readonly coredns: Coredns; readonly neardns: Neardns },
    servers: { readonly coredns: Server; readonly neardns: Server },
  ) {
    this.directory = directory
    this.coredns = programs.coredns
    this.neardns = programs.neardns
    this.servers = servers
  }

  static async start({ corefile, settings, upstream, files = {} }: StageCase) {
    const directory = await mkdtemp(join(tmpdir(), 'neardns-stages-'))
    const [front, behind, ours] = [await freePort(), await freePort(), await freePort()]
    const placed = (text: string) => text.replaceAll('DIRECTORY', directory)
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
    const coredns = await Coredns.start({
      corefile: `.:${front} {\nbind 127.0.0.1\n${placed(corefile)}\nforward . 127.0.0.1:${behind}\n}\n.:${behind} {\nbind 127.0.0.1\n${upstream}\n}\n`,
    })
    const config = join(directory, 'neardns.yaml')
    const limits = 'ttl: { positiveMaxSeconds: 86400, negativeMaxSeconds: 86400 }'
    const external = `external: { upstreams: ['udp://127.0.0.1:${behind}'], ${limits} }\n`
    await writeFile(config, `listen: ['127.0.0.1:${ours}']\n${external}${placed(settings)}`)
    const neardns = await Neardns.start({ args: ['--config', config] })
    const at = (port: number) => ({ host: '127.0.0.1', port })
    const servers = { coredns: at(front), neardns: at(ours) }
    return new StageDifferential(directory, { coredns, neardns }, servers)
  }

  /** Asks each question of both. TTLs may differ by the time since the start: what a cache has counts down, and begins when it is asked. */
  async differences(questions: readonly StageQuestion[]): Promise<Difference[]> {
    const found: Difference[] = []
    for (const [qname, type] of questions) {
      const [theirs, ours] = await this.both(qname, type)
      const slackSeconds = 1 + (performance.now() - this.startedMs) / 1000
      if (!isAlike(theirs, ours, slackSeconds))
        found.push({ question: `${qname} ${type}`, coredns: theirs, neardns: ours })
    }
    return found
  }

  /** What each says, in one line. */
  async both(qname: string, type: TypeName): Promise<[coredns: string, neardns: string]> {
    const { coredns, neardns } = this.servers
    return Promise.all([summaryFrom(coredns, qname, type), summaryFrom(neardns, qname, type)])
  }

  /** What both have written so far, as text. */
  logged(): { readonly coredns: readonly string[]; readonly neardns: readonly string[] } {
    const texts = this.neardns.log().map(({ msg }) => String(msg))
    return { coredns: this.coredns.lines, neardns: texts }
  }

  async stop(): Promise<void> {
    await Promise.all([this.coredns.stop(), this.neardns.stop()])
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** A TTL stands behind an owner, which ends with a dot, and before a class. */
const ttls = /(?<=\. +)\d+(?= +in )/g

function isAlike(one: string, other: string, slackSeconds: number): boolean {
  if (one.replaceAll(ttls, '') !== other.replaceAll(ttls, '')) return false
  const [left, right] = [one, other].map((text) => (text.match(ttls) ?? []).map(Number))
  return left?.every((ttl, i) => Math.abs(ttl - (right?.[i] ?? 0)) <= slackSeconds) === true
}

async function summaryFrom(server: Server, qname: string, type: TypeName): Promise<string> {
  const query = writeQuery(qname, type)
  const reply = await askUdp(server, query, 8000)
  if (reply === undefined) return 'no reply'
  const decoded = decodeMessage(reply)
  if (!decoded.ok) return 'malformed'
  const { answers = [], authorities = [], additionals = [] } = decoded.message
  const lines = [answers, authorities, additionals].map((records) =>
    records
      .filter(({ type: of }) => of !== 'OPT')
      .map((record) => recordLine(record).toLowerCase())
      .toSorted()
      .join('; '),
  )
  const isSame =
    reply.includes(query.subarray(12)) && reply.readUInt16BE(0) === query.readUInt16BE(0)
  const question = isSame ? [] : ['the question is another one']
  return [`rcode ${reply.readUInt8(3) & 15}`, ...question, ...lines].join(' | ')
}
