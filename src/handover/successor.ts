/**
 * The following side: asks the serving process for its sockets, its cache and its clients' connections. The order of messages is
 * in predecessor.ts. Until `done` the other process would go on as if nothing had happened.
 */
import { Socket } from 'node:net'
import { receiveDescriptors } from '../system/descriptor-mail.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import { type HeldSocket, socketKinds } from './held-sockets.ts'
import { Link, type Message } from './link.ts'
import { connectTo, descriptorOf, strangerAt } from './meeting-point.ts'
import { protocolVersion } from './predecessor.ts'

export interface SuccessorOptions {
  /** Path or `@name`. */
  readonly at: string
  readonly timeoutMs: number
  readonly calls: SystemCalls
  /** Longer dumps are not read. */
  readonly dumpBytesMax: number
}

/** Called for each received connection, with the address of its listener as configured. */
export type OnConnection = (server: string, client: Socket) => void

/** The result of an attempt to follow a serving process. */
export type Followed =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'following'; readonly successor: Successor }

/** Never rejects. */
export async function follow(options: SuccessorOptions): Promise<Followed> {
  try {
    const socket = await connectTo(options.at)
    if (socket === undefined) return { kind: 'nobody' }
    const stranger = strangerAt(options.calls, socket)
    if (stranger !== undefined) {
      socket.destroy()
      return { kind: 'refused', why: `whoever listens at ${options.at} is not us: ${stranger}` }
    }
    return { kind: 'following', successor: await ask(options, new Link(socket)) }
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) }
  }
}

/** Rejects when the serving process refuses; nothing stays open then. */
async function ask(options: SuccessorOptions, link: Link): Promise<Successor> {
  let mail: Socket | undefined
  try {
    const { ticket, startingEveryMs } = await askForTicket(options, link)
    // Descriptors arrive on a connection that Node never reads from, because it would discard them.
    mail = await connectTo(options.at, true)
    if (mail === undefined) throw new Error('the process that serves has gone')
    mail.write(`${JSON.stringify({ neardns: protocolVersion, want: 'descriptors', ticket })}\n`)
    const received = await receiveSockets(options, link, mail)
    return new Successor(options, { link, mail, startingEveryMs, ...received })
  } catch (error) {
    // Descriptors that were not received keep the sockets of the serving process alive.
    mail?.destroy()
    link.socket.destroy()
    throw error
  }
}

interface Ticket {
  readonly ticket: string
  /** How often we are to say that we are starting; undefined for a process that does not understand it. */
  readonly startingEveryMs: number | undefined
}

async function askForTicket({ timeoutMs }: SuccessorOptions, link: Link): Promise<Ticket> {
  link.send({ neardns: protocolVersion, want: 'sockets' })
  const { ticket, startingEveryMs: everyMs, error } = await link.next(timeoutMs)
  const startingEveryMs = typeof everyMs === 'number' && everyMs > 0 ? everyMs : undefined
  if (typeof ticket === 'string') return { ticket, startingEveryMs }
  throw new Error(`the process that serves refused: ${String(error)}`)
}

async function receiveSockets(
  { timeoutMs, calls }: SuccessorOptions,
  link: Link,
  mail: Socket,
): Promise<Pick<Opened, 'sockets' | 'program'>> {
  const { sockets, program: number } = await link.next(timeoutMs)
  const names = socketNames(sockets)
  const fds = receiveDescriptors(calls, descriptorOf(mail), names.length)
  if (fds.length !== names.length) {
    for (const fd of fds) calls.closeDescriptor(fd)
    throw new Error(`${names.length} sockets were announced, ${fds.length} came`)
  }
  const program = typeof number === 'number' ? number : undefined
  return { sockets: names.map((name, i) => ({ ...name, fd: fds[i] as number })), program }
}

function socketNames(sockets: unknown): Omit<HeldSocket, 'fd'>[] {
  if (!Array.isArray(sockets)) throw new Error('no list of sockets came')
  return sockets.map((one: unknown) => {
    const about: Message = typeof one === 'object' && one !== null ? { ...one } : {}
    const { kind, wanted, number } = about
    const known = socketKinds.find((name) => name === kind)
    if (known === undefined || typeof wanted !== 'string' || typeof number !== 'number') {
      throw new Error('a socket of no kind')
    }
    return { kind: known, wanted, number }
  })
}

interface Opened {
  readonly link: Link
  readonly mail: Socket
  readonly sockets: readonly HeldSocket[]
  readonly program: number | undefined
  readonly startingEveryMs: number | undefined
}

export class Successor {
  /** The listening sockets of the serving process. We own them now, and have to close them. */
  readonly sockets: readonly HeldSocket[]
  /** Number of the program in the kernel that answers for the serving process, until that is released; undefined: there is none. */
  readonly program: number | undefined
  private readonly options: SuccessorOptions
  private readonly link: Link
  private readonly mail: Socket
  private readonly startingEveryMs: number | undefined
  private beat: NodeJS.Timeout | undefined
  /** The predecessor has nothing left to do and stays, to serve again when we end. */
  isWaitedFor = false

  constructor(options: SuccessorOptions, { link, mail, startingEveryMs, ...got }: Opened) {
    this.options = options
    this.link = link
    this.mail = mail
    this.sockets = got.sockets
    this.program = got.program
    this.startingEveryMs = startingEveryMs
    mail.on('error', () => undefined)
  }

  /** Says again and again that we are starting, until `serving` or `abandon`; otherwise a slow start looks like a dead process. */
  starting(): void {
    const { startingEveryMs, link } = this
    if (startingEveryMs === undefined) return
    this.beat = setInterval(() => link.send({ state: 'starting' }), startingEveryMs)
  }

  /** Reads the cache of the serving process. Rejects when the dump is too long, or does not come. */
  async cacheDump(): Promise<Buffer> {
    const { at, timeoutMs, dumpBytesMax } = this.options
    const socket = await connectTo(at)
    if (socket === undefined) throw new Error('the process that serves has gone')
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('it came too slowly')))
    socket.write(`${JSON.stringify({ neardns: protocolVersion, want: 'cache' })}\n`)
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of socket as AsyncIterable<Buffer>) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > dumpBytesMax) {
        socket.destroy()
        throw new Error(`it is longer than our own cache may be (${dumpBytesMax} bytes)`)
      }
    }
    return Buffer.concat(pieces)
  }

  /** Tells that we read from the sockets. Resolves when the other process no longer does. */
  async serving(): Promise<void> {
    clearInterval(this.beat)
    this.link.send({ state: 'serving' })
    await this.link.next(this.options.timeoutMs)
  }

  /**
   * Tells that we are the serving process. Resolves when the meeting point is free for us.
   * @param onConnection gets the connections of the other process as they are; without it, the other process ends them
   * @param onGone called when no more will come
   */
  async done(onConnection: OnConnection | undefined, onGone: (why: string) => void): Promise<void> {
    const { link, mail } = this
    link.send({ state: 'done', connections: onConnection !== undefined })
    await link.next(this.options.timeoutMs)
    link.listen(
      ({ connection, state }) => {
        this.isWaitedFor = state === 'waiting'
        if (typeof connection === 'string' && onConnection !== undefined)
          this.receive(connection, onConnection)
      },
      (why) => {
        mail.destroy()
        onGone(why)
      },
    )
  }

  /** Leaves; before `done` the other process goes on as if nothing had happened. */
  abandon(): void {
    clearInterval(this.beat)
    this.link.socket.destroy()
    this.mail.destroy()
  }

  private receive(server: string, onConnection: OnConnection): void {
    const { calls } = this.options
    const [fd] = receiveDescriptors(calls, descriptorOf(this.mail), 1)
    if (fd === undefined) return
    onConnection(server, clientSocket(fd))
  }
}

/** With the options that net's own server gives to accepted connections. */
function clientSocket(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true })
}
