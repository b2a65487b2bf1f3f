/**
 * dnsperf inside a pod's namespaces, at a fixed rate, until told to stop. Every answer is compared with what the name must get, and every
 * loss has its time. Queries in flight never hold back the next one: the window is wider than all that can be lost, so that a
 * gap shows as lost queries and not as queries that were never sent. Never goes through the kubelet, whose restart is a scenario.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { childrenOf } from './node.ts'

/** What pods ask, and what they must be told. */
const questions: readonly (readonly [name: string, type: 'A' | 'AAAA', rcode: string])[] = [
  ['kubernetes.default.svc.cluster.local', 'A', 'NOERROR'],
  ['web.default.svc.cluster.local', 'A', 'NOERROR'],
  ['web.default.svc.cluster.local', 'AAAA', 'NOERROR'],
  ['kube-dns.kube-system.svc.cluster.local', 'A', 'NOERROR'],
  ['www.example.com.default.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['www.example.com', 'A', 'NOERROR'],
  ['www.example.com', 'AAAA', 'NOERROR'],
  ['one.example.org', 'A', 'NOERROR'],
  ['nothing.default.svc.cluster.local', 'A', 'NXDOMAIN'],
]

/** What is not answered within it is lost, though an answer may come later. A pod's libc would wait five times as long. */
export const answerTimeoutMs = 1000
/** Sockets of one load: kube-proxy and the standby choose a CoreDNS pod for each. */
const sockets = 50
/** At most as many queries in flight as dnsperf can tell apart by their IDs. */
const windowMax = 60_000
/** A load that nobody stops ends by itself. */
const secondsMax = 1800

export interface LoadResult {
  readonly address: string
  readonly queriesPerSecond: number
  readonly sent: number
  /** How many it had time to send. */
  readonly due: number
  readonly answered: number
  readonly lost: number
  /** Answered, but not with the RCODE that the name must get: texts with their counts. */
  readonly wrong: Readonly<Record<string, number>>
  readonly wrongCount: number
  /** When the first and the last lost query was sent, in ms since the load's `mark`. */
  readonly lostFromMs?: number
  readonly lostToMs?: number
}

export class DnsLoad {
  readonly #child: ChildProcess
  readonly #address: string
  readonly #rate: number
  readonly #ended: Promise<void>
  readonly #answers = new Map<string, number>()
  readonly #summary: string[] = []
  readonly #startedMs = performance.now()
  #markMs = performance.now()
  #lostAtMs: { first: number; last: number } | undefined

  /** Starts it in the namespaces of the process `pid`. */
  constructor(pid: number, address: string, queriesPerSecond: number) {
    this.#address = address
    this.#rate = queriesPerSecond
    const file = `questions-${address}`
    // The pod's own /tmp, as the machine sees it; one for each of two loads that start at once.
    writeFileSync(join('/proc', String(pid), 'root/tmp', file), questionFile())
    const dnsperf = [
      ...['dnsperf', '-v', '-s', address, '-d', `/tmp/${file}`, '-l', String(secondsMax)],
      ...['-Q', String(queriesPerSecond), '-T', '1', '-c', String(sockets)],
      ...['-q', String(windowMax), '-t', String(answerTimeoutMs / 1000)],
    ]
    const into = ['-t', String(pid), '--net', '--mount', '--uts', '--ipc', '--pid']
    this.#child = spawn('nsenter', [...into, ...dnsperf], { stdio: ['ignore', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('dnsperf: no output')
    createInterface({ input: stdout }).on('line', (line) => this.#take(line))
    createInterface({ input: stderr }).on('line', (line) => this.#summary.push(line))
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve())
      this.#child.once('error', (error) => {
        this.#summary.push(String(error))
        resolve()
      })
    })
  }

  /** From now on the times of losses are counted. */
  mark(): void {
    this.#markMs = performance.now()
  }

  /** Ends it when the last losses can have shown. */
  async stop(): Promise<LoadResult> {
    const nsenter = this.#child.pid
    const dnsperf = nsenter === undefined ? undefined : childrenOf(nsenter)[0]
    const seconds = (performance.now() - this.#startedMs) / 1000
    if (dnsperf !== undefined) process.kill(dnsperf, 'SIGINT')
    await this.#ended
    const wrong = this.#wrong()
    const lost = this.#number('Queries lost')
    const first = this.#lostAtMs
    return {
      address: this.#address,
      queriesPerSecond: this.#rate,
      sent: this.#number('Queries sent'),
      due: Math.round(this.#rate * seconds),
      answered: this.#number('Queries completed'),
      lost,
      wrong,
      wrongCount: Object.values(wrong).reduce((sum, count) => sum + count, 0),
      ...(first === undefined ? {} : { lostFromMs: first.first, lostToMs: first.last }),
    }
  }

  #take(line: string): void {
    // "> NOERROR www.example.com A 0.000123", "> T www.example.com A" for one that timed out.
    if (!line.startsWith('> ')) {
      this.#summary.push(line)
      return
    }
    const [, rcode = '', name = '', type = ''] = line.split(' ')
    if (rcode === 'T') {
      const atMs = Math.round(performance.now() - answerTimeoutMs - this.#markMs)
      this.#lostAtMs = { first: this.#lostAtMs?.first ?? atMs, last: atMs }
      return
    }
    // In flight when the load was told to stop.
    if (rcode === 'I') return
    const key = `${name} ${type} ${rcode}`
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1)
  }

  #wrong(): Record<string, number> {
    const right = new Set(questions.map(([name, type, rcode]) => `${name} ${type} ${rcode}`))
    return Object.fromEntries([...this.#answers].filter(([answer]) => !right.has(answer)))
  }

  #number(what: string): number {
    const line = this.#summary.find((text) => text.includes(what))
    const match = /:\s+(\d+)/.exec(line ?? '')
    if (match === null) throw new Error(`dnsperf says nothing: ${this.#summary.join('\n')}`)
    return Number(match[1])
  }
}

function questionFile(): string {
  return questions.map(([name, type]) => `${name} ${type}\n`).join('')
}
