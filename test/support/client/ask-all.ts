/** Many questions to one server over a few sockets, as patient stub resolvers would ask them. */
import { type Server, TcpClient, UdpClient } from './dns-client.ts'
import {
  type QueryOptions,
  type ReadMessage,
  readMessage,
  type TypeName,
  writeQuery,
} from './dns-message.ts'

export interface Question {
  readonly name: string
  readonly type: TypeName
}

export interface AskAllOptions extends Omit<QueryOptions, 'id'> {
  /** Sockets in use at once, each with one question at a time. */
  readonly lanes?: number
  readonly timeoutMs?: number
}

/** Asks over TCP, a few connections, and returns the replies in the order of the questions. */
export async function askAllTcp(
  server: Server,
  questions: readonly Question[],
  options: AskAllOptions = {},
): Promise<ReadMessage[]> {
  return await overLanes(questions, options, async () => await TcpClient.open(server))
}

/** Asks over UDP and again over TCP where the reply is truncated. No reply is an error. */
export async function askAllUdp(
  server: Server,
  questions: readonly Question[],
  options: AskAllOptions = {},
): Promise<ReadMessage[]> {
  const replies = await overLanes(questions, options, async () => await UdpClient.open(server))
  const cut = questions.filter((_, index) => replies[index]?.tc)
  const whole = await askAllTcp(server, cut, options)
  return replies.map((reply) => (reply.tc ? (whole.shift() ?? reply) : reply))
}

interface Client {
  send(message: Uint8Array): void
  next(timeoutMs: number): Promise<Buffer | undefined>
  close(): Promise<void>
}

async function overLanes(
  questions: readonly Question[],
  options: AskAllOptions,
  open: () => Promise<Client>,
): Promise<ReadMessage[]> {
  const replies: ReadMessage[] = []
  let next = 0
  const lane = async () => {
    const client = await open()
    try {
      while (next < questions.length) {
        const index = next++
        const question = questions[index]
        if (question) replies[index] = await askOne(client, question, options)
      }
    } finally {
      await client.close()
    }
  }
  const lanes = Math.min(options.lanes ?? 8, questions.length)
  await Promise.all(Array.from({ length: lanes }, lane))
  return replies
}

async function askOne(
  client: Client,
  { name, type }: Question,
  options: AskAllOptions,
): Promise<ReadMessage> {
  const query = writeQuery(name, type, options)
  client.send(query)
  const reply = await client.next(options.timeoutMs ?? 6000)
  if (reply === undefined) throw new Error(`no reply for ${name} ${type}`)
  const message = readMessage(reply)
  if (message.id !== query.readUInt16BE(0))
    throw new Error(`wrong ID in the reply for ${name} ${type}`)
  return message
}
