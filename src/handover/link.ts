/**
 * One connection between the serving process and its successor: lines of JSON over a Unix socket. Owns their format and their
 * bounds; knows nothing of their meaning.
 */
import type { Socket } from 'node:net'

/** The longest line names 32 addresses three times. */
const lineCharsMax = 65_536

/** One for each client connection, if all arrive together. */
const unreadMax = 65_536

export type Message = Readonly<Record<string, unknown>>

export class Link {
  readonly socket: Socket
  /** Messages that were not asked for yet. The other end says little before it is answered. */
  private readonly unread: Message[] = []
  private onMessage: ((message: Message) => void) | undefined
  private onEnd: ((why: string) => void) | undefined
  private text = ''
  private over: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.read(text))
    socket.on('error', (error) => this.end(error.message))
    socket.on('close', () => this.end('the other process has closed the connection'))
  }

  get isOpen(): boolean {
    return this.over === undefined
  }

  send(message: Message): void {
    if (this.isOpen) this.socket.write(`${JSON.stringify(message)}\n`)
  }

  /** From now on messages, and the end of the connection, go here. */
  listen(onMessage: (message: Message) => void, onEnd: (why: string) => void = ignore): void {
    this.onMessage = onMessage
    this.onEnd = onEnd
    for (const message of this.unread.splice(0)) this.onMessage(message)
    if (this.over !== undefined) onEnd(this.over)
  }

  /** The next message, for conversations that go back and forth. */
  next(timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer)
        this.onMessage = undefined
        reject(new Error(why))
      }
      const timer = setTimeout(
        () => fail(`the other process said nothing for ${timeoutMs} ms`),
        timeoutMs,
      )
      const [first] = this.unread.splice(0, 1)
      const take = (message: Message) => {
        clearTimeout(timer)
        this.onMessage = undefined
        this.onEnd = undefined
        resolve(message)
      }
      if (first !== undefined) take(first)
      else this.listen(take, fail)
    })
  }

  /** Closes the connection; sent messages still go out. */
  close(): void {
    this.end('we have closed the connection')
    this.socket.end()
    this.socket.unref()
  }

  private read(text: string): void {
    this.text += text
    for (;;) {
      const lineEnd = this.text.indexOf('\n')
      if (lineEnd < 0) break
      const line = this.text.slice(0, lineEnd)
      this.text = this.text.slice(lineEnd + 1)
      this.take(line)
    }
    if (this.text.length > lineCharsMax) this.fail('a line that is too long')
  }

  private take(line: string): void {
    if (!this.isOpen) return
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      this.fail('a line that is not JSON')
      return
    }
    if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
      this.hand({ ...message })
    } else this.fail('a line that is no object')
  }

  private fail(what: string): void {
    this.socket.destroy()
    this.end(`the other process sent ${what}`)
  }

  private hand(message: Message): void {
    if (this.onMessage !== undefined) this.tell(this.onMessage, message)
    else if (this.unread.length < unreadMax) this.unread.push(message)
    else this.fail('more than anybody listens to')
  }

  /** A defect in a hand-over ends the hand-over, but never the serving process. */
  private tell(onMessage: (message: Message) => void, message: Message): void {
    try {
      onMessage(message)
    } catch (error) {
      this.socket.destroy()
      this.end(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }

  private end(why: string): void {
    if (this.over !== undefined) return
    this.over = why
    this.onEnd?.(why)
  }
}

/** Sends pieces as fast as the other end reads them; stops when it goes away. */
export async function writeAll(socket: Socket, pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) {
    if (socket.destroyed) return
    if (socket.write(piece)) continue
    await new Promise<void>((resolve) => {
      const go = () => {
        socket.off('drain', go)
        socket.off('close', go)
        resolve()
      }
      socket.on('drain', go)
      socket.on('close', go)
    })
  }
  socket.end()
}

function ignore(): void {}
