/**
 * The kernel's nftables, changed and read by our own netlink messages. The program `nft` has no part in it: rules that one of its
 * versions writes make others crash, and each call is a process. Tables with `isOwned` live as long as this object's socket,
 * which the kernel closes with the process, whatever ended it (docs/decisions/0031).
 */
import type { Hash } from 'node:crypto'
import { MessageFlag, type NetlinkResult, NetlinkSocket } from '../../system/netlink.ts'
import { attribute, nested, text } from './attributes.ts'
import { Attribute, Message } from './constants.ts'
import {
  type BaseChain,
  type ElementFact,
  type RuleFact,
  readBaseChain,
  readElements,
  readGeneration,
  readRule,
  readTable,
  stableBytes,
  type TableFact,
} from './decode.ts'
import { encodeChanges, question } from './encode.ts'
import type { NftChange, NftFamily, Place } from './model.ts'

/** The operations that the interception needs; tests implement them, too. */
export interface Nftables {
  /** Makes all changes in one transaction. */
  change(changes: readonly NftChange[]): Promise<NetlinkResult>
  /** Number of our transactions that succeeded. */
  readonly changes: number
  /** A number that grows by one with each transaction of any program. @returns undefined when the kernel does not tell */
  generation(): Promise<number | undefined>
  tables(): Promise<readonly TableFact[]>
  /** Chains with a hook. */
  baseChains(): Promise<readonly BaseChain[]>
  rules(at: Place): Promise<readonly RuleFact[]>
  /** All elements of a set or map. */
  elements(set: SetPlace): Promise<readonly ElementFact[]>
  /** @param key as the kernel stores it: fields padded to four bytes each */
  element(set: SetPlace, key: Uint8Array): Promise<ElementFact | undefined>
  /** Equal while the rules of a chain are equal, for every reader. */
  fingerprint(at: Place): Promise<string>
  close(): Promise<void>
}

export interface SetPlace {
  readonly family: NftFamily
  readonly table: string
  readonly set: string
}

/** Opens the kernel's nftables. @returns why they cannot be used, when they cannot */
export async function openNftables(): Promise<
  { readonly ok: true; readonly nftables: Nftables } | { readonly ok: false; readonly why: string }
> {
  try {
    const socket = new NetlinkSocket()
    const asked = await socket.request([question(Message.getGeneration, 'any', 0)])
    if (asked.ok) return { ok: true, nftables: new KernelNftables(socket) }
    await socket.close()
    return { ok: false, why: whyNot(asked.code) }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}

function whyNot(code: string): string {
  if (code === 'EPERM') return 'nf_tables: operation not permitted'
  if (code === 'EINVAL') return 'the kernel has no nf_tables (module nf_tables)'
  return `nf_tables: ${code}`
}

class KernelNftables implements Nftables {
  changes = 0
  private readonly socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.socket = socket
  }

  async change(changes: readonly NftChange[]): Promise<NetlinkResult> {
    const done = await this.socket.request(encodeChanges(changes))
    if (done.ok) this.changes += 1
    return done
  }

  async generation(): Promise<number | undefined> {
    let id: number | undefined
    await this.socket.request([question(Message.getGeneration, 'any', 0)], (message) => {
      id = readGeneration(message)
    })
    return id
  }

  async tables() {
    const asked = question(Message.getTable, 'any', MessageFlag.dump)
    return await this.collect(asked, readTable)
  }

  async baseChains(): Promise<readonly BaseChain[]> {
    const asked = question(Message.getChain, 'any', MessageFlag.dump)
    return await this.collect(asked, readBaseChain)
  }

  async rules(at: Place): Promise<readonly RuleFact[]> {
    return await this.collect(rulesQuestion(at), readRule)
  }

  async elements(set: SetPlace): Promise<readonly ElementFact[]> {
    const asked = question(Message.getElement, set.family, MessageFlag.dump, setAttributes(set))
    return (await this.collect(asked, readElements)).flat()
  }

  async element(set: SetPlace, key: Uint8Array): Promise<ElementFact | undefined> {
    const wanted = nested(
      Attribute.elements,
      nested(
        Attribute.listElement,
        nested(Attribute.elementKey, attribute(Attribute.dataValue, key)),
      ),
    )
    const asked = question(Message.getElement, set.family, 0, [...setAttributes(set), wanted])
    let found: ElementFact | undefined
    await this.socket.request([asked], (message) => {
      found ??= readElements(message)[0]
    })
    return found
  }

  async fingerprint(at: Place): Promise<string> {
    // Loaded here: it takes 7 ms, and the first questions of a start do without.
    const { createHash } = process.getBuiltinModule('node:crypto')
    let hash: Hash
    await this.socket.dump(rulesQuestion(at), () => {
      hash = createHash('sha256')
      return (message) => hash.update(stableBytes(message))
    })
    hash ??= createHash('sha256')
    return hash.digest('base64')
  }

  async close(): Promise<void> {
    await this.socket.close()
  }

  /** Unreadable messages count as absent. */
  private async collect<T>(
    asked: Buffer,
    read: (message: Parameters<typeof readRule>[0]) => T | undefined,
  ): Promise<T[]> {
    let found: T[] = []
    await this.socket.dump(asked, () => {
      found = []
      return (message) => {
        const one = read(message)
        if (one !== undefined) found.push(one)
      }
    })
    return found
  }
}

function rulesQuestion({ family, table, chain }: Place): Buffer {
  return question(Message.getRule, family, MessageFlag.dump, [
    text(Attribute.ruleTable, table),
    text(Attribute.ruleChain, chain),
  ])
}

function setAttributes({ table, set }: SetPlace): Buffer[] {
  return [text(Attribute.elementsTable, table), text(Attribute.elementsSet, set)]
}
