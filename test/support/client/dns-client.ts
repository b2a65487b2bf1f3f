/**
 * A DNS client for tests that shows what is really on the wire: sends octets, returns octets, always in bounded
 * time. It judges nothing: a reply with a wrong ID is returned like any other.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket as TcpSocket } from 'node:net'
import {
  type QueryOptions,
  type ReadMessage,
  readMessage,
  type TypeName,
  writeQuery,
} from './dns-message.ts'

export interface Server {
  readonly host: string
  readonly port: number
}

/** Sends one datagram from a fresh port. Undefined when nothing came back in time. */
export async function askUdp(
  server: Server,
  query: Uint8Array,
  timeoutMs = 3000,
): Promise<Buffer | undefined> {
  const client = await UdpClient.open(server)
  try {
    client.send(query)
    return await client.next(timeoutMs)
  } finally {
    await client.close()
  }
}

/** Sends one message over a fresh connection. Undefined when nothing came back in time or the peer closed. */
export async function askTcp(
  server: Server,
  query: Uint8Array,
  timeoutMs = 3000,
): Promise<Buffer | undefined> {
  const client = await TcpClient.open(server)
  try {
    client.send(query)
    return await client.next(timeoutMs)
  } finally {
    await client.close()
  }
}

/** One name, read. Throws when there is no reply: for tests in which silence is a failure anyway. */
export async function lookup(
  server: Server,
  name: string,
  type: TypeName | number,
  options: QueryOptions & { readonly tcp?: boolean; readonly timeoutMs?: number } = {},
): Promise<ReadMessage> {
  const query = writeQuery(name, type, options)
  const reply = await (options.tcp ? askTcp : askUdp)(server, query, options.timeoutMs)
  if (reply === undefined)
    throw new Error(`no reply for ${name} ${type} from ${server.host}:${server.port}`)
  return readMessage(reply)
}

/** Replies that came and were not asked for yet, or a waiter for the next one. */
class Mailbox {
  readonly #messages: Buffer[] = []
  #waiter: (() => void) | undefined
  #ended = false

  put(message: Buffer): void {
    this.#messages.push(message)
    this.#waiter?.()
  }

  end(): void {
    this.#ended = true
    this.#waiter?.()
  }

  async next(timeoutMs: number): Promise<Buffer | undefined> {
    if (this.#messages.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#waiter = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#waiter = undefined
    }
    return this.#messages.shift()
  }
}

/** A connected UDP socket: only the server's own datagrams are seen, as with a stub resolver. */
export class UdpClient {
  readonly socket: Socket
  readonly #inbox = new Mailbox()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('message', (message) => this.#inbox.put(message))
    // A refused port is silence to this client: the test's time limit tells.
    socket.on('error', () => undefined)
  }

  /** @param localHost source address; a fresh port either way */
  static async open(server: Server, localHost?: string): Promise<UdpClient> {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4')
    const client = new UdpClient(socket)
    socket.bind(0, localHost)
    await once(socket, 'listening')
    socket.connect(server.port, server.host)
    await once(socket, 'connect')
    return client
  }

  send(message: Uint8Array): void {
    // With a callback, a refusal noted by the kernel comes back here and is not thrown.
    this.socket.send(message, () => undefined)
  }

  async next(timeoutMs = 3000): Promise<Buffer | undefined> {
    return await this.#inbox.next(timeoutMs)
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close')
    this.socket.close()
    await closed
  }
}

/** A TCP connection that frames (RFC 1035 4.2.2) what it sends and cuts what it gets into messages. */
export class TcpClient {
  readonly socket: TcpSocket
  readonly #inbox = new Mailbox()
  #rest: Buffer = Buffer.alloc(0)
  /** True once the peer has closed or reset the connection. */
  ended = false

  private constructor(socket: TcpSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    const end = () => {
      this.ended = true
      this.#inbox.end()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  static async open(server: Server, timeoutMs = 3000): Promise<TcpClient> {
    const socket = connect({
      host: server.host,
      port: server.port,
      allowHalfOpen: true,
      noDelay: true,
    })
    const client = new TcpClient(socket)
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
    } catch (error) {
      // The kernel goes on trying, and what comes of it would be nobody's.
      socket.destroy()
      throw error
    }
    return client
  }

  /** Sends messages in one write, each with its length before it. */
  send(...messages: readonly Uint8Array[]): void {
    this.sendRaw(Buffer.concat(messages.flatMap((message) => [lengthOf(message), message])))
  }

  /** Sends octets as they are: partial lengths, partial messages, junk. */
  sendRaw(octets: Uint8Array): void {
    this.socket.write(octets)
  }

  /** The next message; undefined when the time is up or the peer has closed. */
  async next(timeoutMs = 3000): Promise<Buffer | undefined> {
    return await this.#inbox.next(timeoutMs)
  }

  /** Resolves when the peer has closed; false when it has not within the time. */
  async peerClosed(timeoutMs: number): Promise<boolean> {
    if (this.ended) return true
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      await Promise.race([
        once(this.socket, 'end', { signal }),
        once(this.socket, 'close', { signal }),
      ])
      return true
    } catch {
      return this.ended
    }
  }

  async close(): Promise<void> {
    if (this.socket.closed) return
    const closed = once(this.socket, 'close')
    this.socket.destroy()
    await closed
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 2) {
      const end = 2 + this.#rest.readUInt16BE(0)
      if (this.#rest.length < end) return
      this.#inbox.put(Buffer.from(this.#rest.subarray(2, end)))
      this.#rest = this.#rest.subarray(end)
    }
  }
}

function lengthOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(message.length, 0)
  return prefix
}
