/**
 * TCP clients under a load: some keep a connection and ask on it again and again, others open one for each question. No question is asked
 * twice: one whose connection is closed or refused has failed, whatever a patient client would do. Run it in an agent.
 */
import { type Server, TcpClient } from './dns-client.ts'
import { readMessage, writeQuery } from './dns-message.ts'
import type { LoadQuery } from './load.ts'

export interface TcpLoadSpec {
  readonly server: Server
  /** Asked in turn. */
  readonly queries: readonly LoadQuery[]
  readonly durationMs: number
  /** Connections that are kept. */
  readonly kept: number
  /** Pause between two questions on a kept connection. */
  readonly everyMs: number
  /** Connections made for one question each, a second. */
  readonly freshPerSecond: number
}

export interface TcpLoadResult {
  sent: number
  right: number
  wrong: number
  servfail: number
  /** No reply within 2.5 s. */
  lost: number
  /** Refused, reset or closed with a question open. */
  failed: number
  /** Kept connections that the server closed, with no question open. */
  closed: number
}

const lostAfterMs = 2500

export async function runTcpLoad(spec: TcpLoadSpec): Promise<TcpLoadResult> {
  const result = { sent: 0, right: 0, wrong: 0, servfail: 0, lost: 0, failed: 0, closed: 0 }
  const endMs = performance.now() + spec.durationMs
  const questions = new Questions(spec, result)
  const kept = Array.from({ length: spec.kept }, () => keepAsking(spec, questions, endMs))
  const fresh: Promise<void>[] = []
  const perTick = spec.freshPerSecond / 50
  for (let due = 0; performance.now() < endMs; ) {
    for (due += perTick; due >= 1; due -= 1) fresh.push(askOnce(spec, questions))
    await pause(20)
  }
  await Promise.all([...kept, ...fresh])
  return result
}

async function keepAsking(spec: TcpLoadSpec, questions: Questions, endMs: number): Promise<void> {
  let client = await questions.open(spec.server)
  while (performance.now() < endMs) {
    if (client?.ended === true) {
      questions.result.closed += 1
      await client.close()
      client = undefined
    }
    client ??= await questions.open(spec.server)
    if (client !== undefined) await questions.ask(client)
    await pause(spec.everyMs)
  }
  await client?.close()
}

async function askOnce(spec: TcpLoadSpec, questions: Questions): Promise<void> {
  const client = await questions.open(spec.server)
  if (client === undefined) return
  await questions.ask(client)
  await client.close()
}

class Questions {
  readonly result: TcpLoadResult
  readonly #queries: readonly LoadQuery[]
  #next = 0

  constructor(spec: TcpLoadSpec, result: TcpLoadResult) {
    this.result = result
    this.#queries = spec.queries
  }

  /** A connection that cannot be made is a question that has failed. */
  async open(server: Server): Promise<TcpClient | undefined> {
    try {
      return await TcpClient.open(server)
    } catch {
      this.result.sent += 1
      this.result.failed += 1
      return undefined
    }
  }

  async ask(client: TcpClient): Promise<void> {
    const { result } = this
    const query = this.#queries[this.#next++ % this.#queries.length]
    if (query === undefined) return
    result.sent += 1
    const id = this.#next & 0xffff
    client.send(writeQuery(query.name, query.type, { id }))
    const reply = await client.next(lostAfterMs)
    if (reply === undefined) {
      if (client.ended) result.failed += 1
      else result.lost += 1
      return
    }
    const message = readMessage(reply)
    const isRight =
      message.id === id &&
      message.rcode === query.rcode &&
      message.answers.some(({ data }) => data === query.data)
    if (message.rcode === 2) result.servfail += 1
    else if (isRight) result.right += 1
    else result.wrong += 1
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
