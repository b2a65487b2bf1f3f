/**
 * Sends batches of replies, and keeps those that the kernel has no room for until it has: bounded, in order, counted. Nothing
 * else writes to the socket.
 */
import { getSystemErrorName } from 'node:util'
import { countCode } from '../system/bind.ts'
import { Linux } from '../system/linux.ts'
import { batchSlots, type MessageBatch, type SavedPeer } from '../system/message-batch.ts'
import type { SystemCalls, Watch } from '../system/system-calls.ts'
import type { UdpCounts } from './udp-counts.ts'

export interface SendQueueParts {
  readonly calls: SystemCalls
  readonly fd: number
  readonly watch: Watch
  readonly counts: UdpCounts
  /** Replies kept; further ones are dropped. */
  readonly max: number
  /** Kept replies are sent from here; free whenever `onWritable` is called. */
  readonly retry: MessageBatch
}

interface KeptReply {
  readonly reply: Buffer
  readonly peer: SavedPeer
}

export class SendQueue {
  private readonly parts: SendQueueParts
  private kept: KeptReply[] = []

  constructor(parts: SendQueueParts) {
    this.parts = parts
  }

  /** Sends the first `count` slots. The caller may reuse them on return. */
  send(batch: MessageBatch, count: number): void {
    // New replies must not overtake waiting ones.
    const sent = this.kept.length > 0 ? 0 : this.sendFrom(batch, count)
    for (let slot = sent; slot < count; slot++) this.keep(batch, slot)
  }

  /** The kernel has room again. */
  onWritable(): void {
    const { retry, watch } = this.parts
    while (this.kept.length > 0) {
      const tried = this.kept.slice(0, batchSlots)
      for (const [slot, { reply, peer }] of tried.entries()) {
        ;(retry.slots[slot] as Buffer).set(reply)
        retry.setLength(slot, reply.length)
        retry.restorePeer(slot, peer)
      }
      const sent = this.sendFrom(retry, tried.length)
      this.kept.splice(0, sent)
      if (sent < tried.length) return
    }
    watch.setWritable(false)
  }

  /** @returns the number of finished slots; fewer than `count` when the kernel has no room for the next */
  private sendFrom(batch: MessageBatch, count: number): number {
    const { calls, fd, counts } = this.parts
    let done = 0
    while (done < count) {
      const result = calls.sendMessages(fd, batch.headersFrom(done), count - done)
      if (result > 0) {
        counts.sent += result
        done += result
      } else if (result === -Linux.eagain) {
        return done
      } else if (result !== -Linux.eintr) {
        // The error concerns the first reply only, and trying again would not help.
        countCode(counts.sendErrors, getSystemErrorName(result))
        done += 1
      }
    }
    return done
  }

  private keep(batch: MessageBatch, slot: number): void {
    const { counts, max, watch } = this.parts
    if (this.kept.length >= max) {
      counts.queueDrops += 1
      return
    }
    const reply = Buffer.allocUnsafeSlow(batch.lengthOf(slot))
    reply.set((batch.slots[slot] as Buffer).subarray(0, reply.length))
    this.kept.push({ reply, peer: batch.savePeer(slot) })
    if (this.kept.length === 1) watch.setWritable(true)
  }
}
