/**
 * The load model of a node whose pods look up outside names again and again: every expansion of every name once in a
 * period, A and AAAA, evenly spread and whether or not answers come. A child process of its own; takes a `LoadModel` as
 * JSON in its argument and prints a `LoadReport` as its last line. See search-load.ts.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { writeQuery } from '../client/dns-message.ts'
import { expansionsOf, type LoadModel, type LoadReport } from './search-load.ts'

/** Ports in use; each has all IDs to itself. */
const socketCount = 16
const tickMs = 2
/** For the answers to the last queries. */
const graceMs = 2000

interface Question {
  readonly query: Buffer
  readonly rcode: number
}

const model: LoadModel = JSON.parse(process.argv[2] ?? '')
const questions: Question[] = expansionsOf(model).flatMap(({ name, exists }) =>
  (['A', 'AAAA'] as const).map((type) => ({
    query: writeQuery(name, type),
    rcode: exists ? 0 : 3,
  })),
)
let sent = 0
let right = 0
let wrong = 0

/** @returns sends the question */
async function openLane(): Promise<(question: Question) => void> {
  const socket = createSocket('udp4')
  const waiting = new Map<number, number>()
  socket.on('message', (reply) => {
    const rcode = waiting.get(reply.readUInt16BE(0))
    if (rcode === undefined || reply.length < 12) return
    waiting.delete(reply.readUInt16BE(0))
    if ((reply.readUInt8(3) & 15) === rcode) right += 1
    else wrong += 1
  })
  await connect(socket)
  let id = 0
  return ({ query, rcode }) => {
    id = (id + 1) & 0xffff
    query.writeUInt16BE(id, 0)
    waiting.set(id, rcode)
    sent += 1
    // Sent before the next question writes its ID: dgram copies nothing, but the call into the kernel is made at once.
    socket.send(query)
  }
}

async function connect(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  socket.connect(53, model.server)
  await once(socket, 'connect')
}

const lanes = await Promise.all(Array.from({ length: socketCount }, openLane))
const startMs = performance.now()
let next = 0
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startMs
  const due = Math.floor(
    (Math.min(elapsedMs, model.seconds * 1000) * questions.length) / model.periodMs,
  )
  for (; next < due; next++) {
    // Every question from every port in turn.
    const question = questions[next % questions.length]
    if (question) lanes[next % socketCount]?.(question)
  }
  if (elapsedMs < model.seconds * 1000 + graceMs) return
  clearInterval(timer)
  const report: LoadReport = { sent, right, wrong, lost: sent - right - wrong }
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))
}, tickMs)
