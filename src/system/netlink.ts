/**
 * A netlink socket (netlink(7)), of the netfilter family unless another is named: sends requests, returns the kernel's replies. Knows the frame of a
 * message (`struct nlmsghdr`) and acknowledgements, but not the meaning of messages. Requests are made one after another: when
 * `send` returns, the kernel has put all its replies into the socket's queue, except for dumps, of which it makes the next part
 * when one has been read.
 */
import { getSystemErrorName } from 'node:util'
import { Linux } from './linux.ts'
import { loadSystemCalls, type SystemCalls } from './system-calls.ts'
import { systemError } from './system-error.ts'

/** nlmsghdr: length, type, flags, sequence number, port. */
export const messageHeaderBytes = 16

export const MessageFlag = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  dumpInterrupted: 0x10,
  dump: 0x300,
  create: 0x400,
  append: 0x800,
  ackHasText: 0x200,
} as const

const [typeError, typeDone] = [2, 3] as const
/** NLMSGERR_ATTR_MSG. */
const attributeText = 1

/** The kernel makes parts of a dump as large as the reader's buffer, up to this. */
const receiveBytes = 32_768
/** A change of rules during a dump makes it incoherent; after this many attempts it is taken as it is. */
const dumpAttemptsMax = 5

/** A message of the kernel; `body` is a view into memory that the next read overwrites. */
export interface KernelMessage {
  readonly type: number
  readonly body: Buffer
}

type ReceivedMessage = KernelMessage & { readonly flags: number }

/** The kernel's verdict on a request. */
export type NetlinkResult = { readonly ok: true } | NetlinkFailure

export interface NetlinkFailure {
  readonly ok: false
  /** Such as `EPERM`. */
  readonly code: string
  /** The code, and the kernel's text for it. */
  readonly why: string
}

/** Takes each message of a reply; must copy what it keeps. */
export type OnMessage = (message: KernelMessage) => void

export class NetlinkSocket {
  private readonly calls: SystemCalls
  private readonly fd: number
  private readonly input = Buffer.allocUnsafeSlow(receiveBytes)
  private queue: Promise<unknown> = Promise.resolve()
  private sequence = 0
  private isClosed = false

  /** @param protocol one of `Linux` @throws UnsupportedPlatform, or an error with `code` where the kernel refuses the socket */
  constructor(calls = loadSystemCalls(), protocol: number = Linux.netlinkNetfilter) {
    this.calls = calls
    const type = Linux.sockRaw | Linux.sockCloExec
    this.fd = calls.socket(Linux.afNetlink, type, protocol)
    if (this.fd < 0) throw systemError('socket(AF_NETLINK)', -this.fd)
    // Both only make failures more telling; kernels before 4.12 lack the second.
    for (const option of [Linux.netlinkCapAck, Linux.netlinkExtAck]) {
      calls.setOption(this.fd, Linux.solNetlink, option, new Uint8Array(Int32Array.of(1).buffer))
    }
  }

  /**
   * Sends messages in one datagram, all of them with the flag `ack` or in a batch whose last one has it.
   * @param messages each with its header, whose length, type and flags are set; sequence numbers are written here
   */
  async request(
    messages: readonly Buffer[],
    onMessage: OnMessage = () => {},
  ): Promise<NetlinkResult> {
    return await this.alone(async () => {
      const sent = await this.send(messages)
      return sent.ok ? this.readReply(onMessage) : sent
    })
  }

  /** Requests a dump. It is read in parts; the event loop gets its turn between them. */
  async dump(message: Buffer, start: () => OnMessage): Promise<NetlinkResult> {
    return await this.alone(async () => {
      for (let attempt = 1; ; attempt++) {
        const sent = await this.send([message])
        if (!sent.ok) return sent
        const read = await this.readDump(start())
        if (read !== 'interrupted') return read
        if (attempt === dumpAttemptsMax) return { ok: true }
      }
    })
  }

  /** Ends everything that the kernel ties to this socket. A request in progress is still finished. */
  async close(): Promise<void> {
    await this.alone(async () => {
      if (this.isClosed) return
      this.isClosed = true
      this.calls.closeDescriptor(this.fd)
    })
  }

  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(work)
    this.queue = turn.catch(() => undefined)
    return await turn
  }

  private async send(messages: readonly Buffer[]): Promise<NetlinkResult> {
    if (this.isClosed) return failure(9, 'the socket is closed')
    this.discardInput()
    for (const message of messages) {
      this.sequence = (this.sequence + 1) >>> 0
      message.writeUInt32LE(this.sequence, 8)
    }
    const sent = await this.calls.sendElsewhere(this.fd, Buffer.concat(messages))
    return sent < 0 ? failure(-sent) : { ok: true }
  }

  /** Reads all replies present; the first failure counts. */
  private readReply(onMessage: OnMessage): NetlinkResult {
    let failed: NetlinkFailure | undefined
    for (;;) {
      const length = this.calls.receive(this.fd, this.input)
      if (length === -Linux.eagain) return failed ?? { ok: true }
      if (length < 0) return failed ?? failure(-length)
      for (const message of messagesIn(this.input.subarray(0, length))) {
        if (message.type === typeError) failed ??= failureIn(message)
        else onMessage(message)
      }
    }
  }

  private async readDump(onMessage: OnMessage): Promise<NetlinkResult | 'interrupted'> {
    let isInterrupted = false
    for (;;) {
      const length = this.calls.receive(this.fd, this.input)
      if (length < 0) return failure(-length)
      for (const message of messagesIn(this.input.subarray(0, length))) {
        isInterrupted ||= (message.flags & MessageFlag.dumpInterrupted) !== 0
        const end = endOfDump(message)
        if (end !== undefined) return isInterrupted && end.ok ? 'interrupted' : end
        onMessage(message)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private discardInput(): void {
    while (this.calls.receive(this.fd, this.input) > 0);
  }
}

function* messagesIn(datagram: Buffer): Generator<ReceivedMessage> {
  let at = 0
  while (at + messageHeaderBytes <= datagram.length) {
    const length = datagram.readUInt32LE(at)
    if (length < messageHeaderBytes || at + length > datagram.length) return
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      body: datagram.subarray(at + messageHeaderBytes, at + length),
    }
    at += (length + 3) & ~3
  }
}

/** @returns undefined when the dump goes on */
function endOfDump(message: ReceivedMessage): NetlinkResult | undefined {
  if (message.type === typeDone) return { ok: true }
  return message.type === typeError ? (failureIn(message) ?? { ok: true }) : undefined
}

/** @returns undefined for an acknowledgement, which is an error of number 0 */
function failureIn(message: ReceivedMessage): NetlinkFailure | undefined {
  const { body, flags } = message
  const errno = -body.readInt32LE(0)
  if (errno === 0) return undefined
  // After the number comes the header of the request, then attributes.
  const hasText = (flags & MessageFlag.ackHasText) !== 0
  return failure(errno, hasText ? textIn(body.subarray(4 + messageHeaderBytes)) : undefined)
}

function textIn(attributes: Buffer): string | undefined {
  for (let at = 0; at + 4 <= attributes.length; ) {
    const length = attributes.readUInt16LE(at)
    if (length < 4) return undefined
    if (attributes.readUInt16LE(at + 2) === attributeText) {
      return attributes.toString('latin1', at + 4, at + length - 1)
    }
    at += (length + 3) & ~3
  }
  return undefined
}

function failure(errno: number, text?: string): NetlinkFailure {
  const code = getSystemErrorName(-errno)
  return { ok: false, code, why: text === undefined ? code : `${code}: ${text}` }
}
