/** Gathers the questions of one turn of the event loop, so that they leave a connection in one write. Opens nothing. */
import type { Socket } from 'node:net'
import { putU16 } from '../../wire/bytes.ts'
import { lengthPrefixBytes } from '../../wire/framing.ts'
import { type Attempt, writeFrame } from '../attempt.ts'

export class Outbox {
  private readonly socket: Socket
  private readonly attempts: Attempt[] = []
  private readonly flushAll = () => this.flush()

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** Sent after this turn's packets have been read, so that all questions they caused leave in one write. */
  add(attempt: Attempt): void {
    if (this.attempts.push(attempt) === 1) setImmediate(this.flushAll)
  }

  private flush(): void {
    const { attempts, socket } = this
    if (!socket.destroyed) {
      let bytes = 0
      for (const attempt of attempts) bytes += lengthPrefixBytes + attempt.frame.length
      const batch = Buffer.allocUnsafe(bytes)
      let at = 0
      for (const attempt of attempts) {
        putU16(batch, at, attempt.frame.length)
        writeFrame(attempt, batch, at + lengthPrefixBytes)
        at += lengthPrefixBytes + attempt.frame.length
      }
      socket.write(batch)
    }
    attempts.length = 0
  }
}
