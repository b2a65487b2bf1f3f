/**
 * A query handler for listener tests that does what the query says: the octet behind the header is the order,
 * what follows is carried into the reply. It speaks no DNS but the ID and the QR bit.
 */
import type { Peer, QueryHandler, ReplyTo } from '../../src/core/ports.ts'
import { headerBytes } from '../../src/wire/constants.ts'

/** `echo` at once, `hold` until the test answers, `drop`, `throw`; `fill` gives a reply of `replyBytes`. */
export type Order = 'echo' | 'hold' | 'drop' | 'throw' | 'fill' | 'hold-then-throw'
const orders: readonly Order[] = ['echo', 'hold', 'drop', 'throw', 'fill', 'hold-then-throw']

export function ask(id: number, order: Order, payload = ''): Buffer {
  const query = Buffer.alloc(headerBytes + 1 + payload.length)
  query.writeUInt16BE(id, 0)
  query.writeUInt8(orders.indexOf(order), headerBytes)
  query.write(payload, headerBytes + 1, 'latin1')
  return query
}

export interface HeldQuery {
  readonly id: number
  readonly peer: ReplyTo
}

/** What the test can tell of one query after the peer view has moved on. */
export interface SeenPeer {
  readonly transport: number
  readonly family: number
  readonly port: number
  readonly serverIndex: number
  readonly address: string
}

export class ScriptedHandler implements QueryHandler {
  readonly seen: SeenPeer[] = []
  readonly held: HeldQuery[] = []
  batches = 0
  handled = 0
  replyBytes = 100
  private awaited: { readonly count: number; readonly resolve: () => void } | undefined

  beginBatch(): void {
    this.batches += 1
  }

  handle(query: Buffer, queryBytes: number, out: Buffer, peer: Peer): number {
    this.handled += 1
    if (this.seen.length < 100) {
      const { transport, family, port, serverIndex } = peer
      this.seen.push({ transport, family, port, serverIndex, address: peer.address() })
    }
    const replyBytes = this.follow(query, queryBytes, out, peer)
    if (this.awaited !== undefined && this.held.length >= this.awaited.count) this.awaited.resolve()
    return replyBytes
  }

  /** Resolves when that many queries are held. */
  async heldCount(count: number): Promise<void> {
    if (this.held.length >= count) return
    await new Promise<void>((resolve) => {
      this.awaited = { count, resolve }
    })
  }

  /** Answers a held query as `echo` would have. */
  release(index: number, text = ''): void {
    const held = this.held[index]
    if (held === undefined) throw new Error(`nothing is held at ${index}`)
    const reply = Buffer.alloc(headerBytes + text.length)
    reply.writeUInt16BE(held.id, 0)
    reply.writeUInt8(0x80, 2)
    reply.write(text, headerBytes, 'latin1')
    held.peer.send(reply)
    // The bytes are ours again: a listener that still needs them is found out.
    reply.fill(0xee)
  }

  releaseAll(): void {
    for (let index = 0; index < this.held.length; index += 1) this.release(index)
    this.held.length = 0
  }

  private follow(query: Buffer, queryBytes: number, out: Buffer, peer: Peer): number {
    const isQuery = queryBytes >= headerBytes && query.readUInt8(2) < 0x80
    if (!isQuery) return 0
    const order = orders[queryBytes > headerBytes ? query.readUInt8(headerBytes) : 0]
    if (order === 'drop') return 0
    if (order === 'throw') throw new Error('scripted defect')
    if (order === 'hold' || order === 'hold-then-throw') {
      this.held.push({ id: query.readUInt16BE(0), peer: peer.hold() })
      if (order === 'hold') return 0
      throw new Error('scripted defect')
    }
    query.copy(out, 0, 0, queryBytes)
    out.writeUInt8(0x80, 2)
    if (order !== 'fill') return queryBytes
    out.fill(0x66, queryBytes, this.replyBytes)
    return this.replyBytes
  }
}

export function idOf(reply: Buffer | undefined): number | undefined {
  return reply?.readUInt16BE(0)
}

export const v4 = { address: '127.0.0.1', port: 0, family: 4 } as const
export const v6 = { address: '::1', port: 0, family: 6 } as const
