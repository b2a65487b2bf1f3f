/**
 * DNS64 (RFC 6147) as CoreDNS's plugin has it: the question for AAAA is asked as it is; where its answer has none and the name exists, A is asked for,
 * and its addresses are given in the network of a translator. Stands before rewrites, whose answers it sees.
 */
import { addressBytes } from '../../address/ip-address.ts'
import { ReplySource } from '../../core/facts.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import type { Another, Reply, Revision } from '../../core/reply.ts'
import type { Rewriting, Rewritten } from '../../core/rewriting.ts'
import { type Family, single } from '../../observe/families/family.ts'
import { putU16, u16 } from '../../wire/bytes.ts'
import { headerBytes, Rcode, RrClass, RrType } from '../../wire/constants.ts'
import type { Question } from '../../wire/question.ts'
import { ResponseScan, readTtl, scanResponse } from '../../wire/scan.ts'
import { messageOf } from '../rewrites/revision.ts'
import { Scope } from '../scope.ts'
import type { LocalSettings } from '../settings.ts'
import { Synthesis } from './synthesis.ts'

type Dns64Settings = LocalSettings['dns64'][number]

interface Item {
  readonly scope: Scope
  readonly settings: Dns64Settings
  readonly prefix: Uint8Array
}

/** RFC 6147 5.1.7: without an SOA. */
const ttlSecondsMax = 600
const scan = new ResponseScan()

export class Dns64 implements Rewriting {
  translated = 0
  private items: readonly Item[] = []
  private rules: Rewriting | undefined

  /** @param rules see the question first. @returns who rewrites now */
  reconfigure(
    settings: readonly Dns64Settings[],
    rules: Rewriting | undefined,
  ): Rewriting | undefined {
    this.rules = rules
    this.items = settings.map((one) => ({
      scope: new Scope(one),
      settings: one,
      prefix: addressBytes(one.prefix.address).subarray(0, one.prefix.prefixBits / 8),
    }))
    return this.items.length === 0 ? rules : this
  }

  of(inquiry: Inquiry): Rewritten | undefined {
    const rewritten = this.rules?.of(inquiry)
    const item = this.itemFor(inquiry)
    if (item === undefined || rewritten?.kind === 'nameless') return rewritten
    const onTranslated = () => {
      this.translated += 1
    }
    const revision = new Dns64Revision(item, inquiry, rewritten?.revision, onTranslated)
    return rewritten === undefined ? { kind: 'same', revision } : { ...rewritten, revision }
  }

  count(rewritten: Rewritten): void {
    const isOurs = rewritten.kind !== 'nameless' && rewritten.revision instanceof Dns64Revision
    if (!isOurs || (rewritten.revision as Dns64Revision).hasRules) this.rules?.count(rewritten)
  }

  families(): Family[] {
    const about = [
      'neardns_dns64_total',
      'Questions for AAAA that got addresses made of A records.',
    ] as const
    return [single('counter', about, () => this.translated)]
  }

  private itemFor({ key, question, asker }: Inquiry): Item | undefined {
    if (this.items.length === 0 || question.qtype !== RrType.aaaa) return undefined
    // RFC 6147 5.5: a client that validates by itself would find made addresses bogus.
    const validates = question.dnssecOk && question.checkingDisabled
    if (question.qclass !== RrClass.in || validates) return undefined
    const isIpv6 = asker.clientAddress().includes(':')
    return this.items.find(
      ({ scope, settings }) =>
        (isIpv6 || settings.ipv4Clients) && scope.zoneOf(key.name, key.nameBytes) !== undefined,
    )
  }
}

/** Of one client's question. */
class Dns64Revision implements Revision {
  private readonly item: Item
  private readonly query: Buffer
  private readonly question: Question
  private readonly rules: Revision | undefined
  private readonly onTranslated: () => void

  constructor(
    item: Item,
    { query, question }: Inquiry,
    rules: Revision | undefined,
    onTranslated: () => void,
  ) {
    this.item = item
    this.query = Buffer.from(query.subarray(0, question.questionEnd))
    this.question = question.clone()
    this.rules = rules
    this.onTranslated = onTranslated
  }

  get hasRules(): boolean {
    return this.rules !== undefined
  }

  revise(reply: Reply): Reply {
    return this.rules?.revise(reply) ?? reply
  }

  another(given: Reply): Another | undefined {
    const reply = this.revise(given)
    if (reply.rcode === Rcode.nxdomain || reply.source === ReplySource.overloaded) return undefined
    const message = messageOf(reply)
    const found = message === undefined ? nothing : factsOf(message)
    if (found.hasAaaa && !this.item.settings.translateAll) return undefined
    const { rcode, source, ede, edeText } = reply
    const image = message && Buffer.from(message)
    const own = Uint8Array.from(this.query.subarray(headerBytes))
    return {
      ...this.forA(),
      revision: new Synthesis({
        question: own,
        prefix: this.item.prefix,
        ttlSecondsMax: found.ttlSeconds,
        otherwise: { image, rcode, source, ede, edeText },
        onTranslated: this.onTranslated,
      }),
    }
  }

  private forA(): { readonly query: Buffer; readonly question: Question } {
    const query = Buffer.from(this.query)
    const question = this.question.clone()
    // Records of the client's message are not taken over.
    query.fill(0, 6, headerBytes)
    putU16(query, question.qnameEnd, RrType.a)
    question.qtype = RrType.a
    return { query, question }
  }
}

const nothing = { hasAaaa: false, ttlSeconds: ttlSecondsMax }

function factsOf(message: Buffer): typeof nothing {
  if (!scanResponse(message, message.length, scan)) return nothing
  let hasAaaa = false
  for (let i = 0; i < scan.answers; i++)
    if (u16(message, scan.typeAt[i] as number) === RrType.aaaa) hasAaaa = true
  const { soaIndex } = scan
  const soaAt = soaIndex < 0 ? -1 : (scan.typeAt[soaIndex] as number)
  return { hasAaaa, ttlSeconds: soaAt < 0 ? ttlSecondsMax : readTtl(message, soaAt + 4) }
}
