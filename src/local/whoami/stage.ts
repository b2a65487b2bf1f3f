/**
 * Names that tell a client its own address, as a stage of the resolver: no answer, and as additional records an address with the question's name, and an
 * SRV below it whose port is the client's. As CoreDNS's plugin, whatever the type of the question.
 */
import { addressBytes } from '../../address/ip-address.ts'
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import { Transport } from '../../core/ports.ts'
import type { ForetoldReply } from '../../core/stages/stage.ts'
import { type Family, single } from '../../observe/families/family.ts'
import { putU16 } from '../../wire/bytes.ts'
import { headerBytes, nameBytesMax, Rcode, RrType } from '../../wire/constants.ts'
import type { LocalOutlook, LocalStage } from '../local-stage.ts'
import { answerMessage, type LocalRecord } from '../records/record.ts'
import { Scope } from '../scope.ts'

export interface WhoamiFinding {
  readonly image: Buffer | undefined
}

const why = 'a name that tells clients their addresses'
const labels: Readonly<Record<Transport, string>> = {
  [Transport.udp]: '_udp',
  [Transport.tcp]: '_tcp',
}

export class WhoamiStage implements LocalStage<WhoamiFinding> {
  readonly name = 'whoami'
  told = 0
  private scopes: readonly Scope[] = []

  constructor(outlook: LocalOutlook) {
    this.reconfigure(outlook)
  }

  reconfigure({ settings }: LocalOutlook): void {
    this.scopes = settings.whoami.map((one) => new Scope(one))
  }

  judge(inquiry: Inquiry): WhoamiFinding | undefined {
    const { name, nameBytes } = inquiry.key
    return this.alters(name, nameBytes) ? { image: imageFor(inquiry) } : undefined
  }

  commit({ decision }: Inquiry, { image }: WhoamiFinding): true {
    this.told += 1
    decision.reply({ image, rcode: Rcode.noerror, source: ReplySource.local, ede: -1 }, -1)
    return true
  }

  foretell(_inquiry: Inquiry, { image }: WhoamiFinding): ForetoldReply {
    return { kind: 'reply', why, source: ReplySource.local, rcode: Rcode.noerror, image }
  }

  alters(name: Uint8Array, nameBytes: number): boolean {
    return this.scopes.some((scope) => scope.zoneOf(name, nameBytes) !== undefined)
  }

  families(): Family[] {
    const about = ['neardns_whoami_total', 'Questions that told a client its own address.'] as const
    return [single('counter', about, () => this.told)]
  }
}

function imageFor({ query, question, asker }: Inquiry): Buffer | undefined {
  const owner = Uint8Array.from(query.subarray(headerBytes, question.qnameEnd))
  const address = asker.clientAddress()
  const common = { class: question.qclass, ttlSeconds: 0 }
  const additionals: LocalRecord[] = []
  if (address !== '') {
    const type = address.includes(':') ? RrType.aaaa : RrType.a
    additionals.push({ ...common, owner, type, data: addressBytes(address) })
  }
  const below = Buffer.concat([Buffer.of(4), Buffer.from(labels[asker.transport ?? 0]), owner])
  // Priority, weight, port, and the root as target.
  const data = new Uint8Array(7)
  putU16(data, 4, asker.clientPort)
  if (below.length <= nameBytesMax)
    additionals.push({ ...common, owner: below, type: RrType.srv, data })
  return answerMessage(query, question, { rcode: Rcode.noerror, answers: [], additionals })
}
