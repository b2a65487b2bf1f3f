/**
 * The same questions to the program in the kernel and to the pipeline of the daemon: whatever the program answers must be, byte for byte,
 * what the daemon would have sent, and everything else must go on untouched. The addresses of a set may come in another order.
 */
import { HitMaps } from '../../src/kernel/hit-maps.ts'
import {
  type InstructionTable,
  type LoadedProgram,
  loadProgram,
  unloadProgram,
} from '../../src/kernel/program.ts'
import { Shadow } from '../../src/kernel/shadow.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { addressRun } from '../../src/wire/rotation.ts'
import {
  aRecord,
  cnameRecord,
  type ResponseOptions,
  record,
  responseTo,
  soaRecord,
} from '../core/support.ts'
import { name, octets, opt, option, u16 } from '../fixtures/packets/octets.ts'
import { Mutator } from '../fuzz/mutator.ts'
import type { Random } from '../fuzz/random.ts'
import { Bench, Client } from '../pipeline/support.ts'
import { type TypeName, writeQuery } from '../support/client/dns-message.ts'
import { readPackets } from '../support/client/packets.ts'
import { type FrameOptions, frame, passedUp, readReply, redirected, TestRun } from './frames.ts'

export const secret = { seed: 0x1234_5678_9abc_def0n, multiplier: 0x9e37_79b9_7f4a_7c15n }

/** What the daemon knows: a name of each kind. */
const known: readonly (readonly [qname: string, type: TypeName, answer: ResponseOptions])[] = [
  ['www.example', 'A', { answers: [aRecord('www.example', '10.0.0.1')] }],
  ['odd.example', 'A', { answers: [aRecord('odd.example', '10.0.0.2', 77)] }],
  ['Mixed.Case.Example', 'A', { answers: [aRecord('mixed.case.example', '10.0.0.3', 61)] }],
  ['six.example', 'AAAA', { answers: [record('six.example', 'AAAA', Buffer.alloc(16, 0xfd))] }],
  [
    'turns.example',
    'A',
    { answers: [1, 2, 3].map((n) => aRecord('turns.example', `10.0.1.${n}`)) },
  ],
  [
    'eight.example',
    'A',
    { answers: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => aRecord('eight.example', `10.0.2.${n}`)) },
  ],
  [
    'turns6.example',
    'AAAA',
    { answers: [1, 2].map((n) => record('turns6.example', 'AAAA', Buffer.alloc(16, n))) },
  ],
  [
    'alias.example',
    'A',
    {
      answers: [
        cnameRecord('alias.example', 'target.example', 60),
        ...[4, 5].map((n) => aRecord('target.example', `10.0.3.${n}`, 30)),
      ],
    },
  ],
  ['gone.example', 'A', { rcode: 3, authorities: [soaRecord('example', 60)] }],
  ['none.example', 'AAAA', { authorities: [soaRecord('example', 60)] }],
  [
    'text.example',
    'TXT',
    { answers: [record('text.example', 'TXT', octets(200, 'x'.repeat(200)))] },
  ],
  [
    'large.example',
    'TXT',
    {
      answers: [1, 2].map((n) =>
        record('large.example', 'TXT', octets(220, String(n).repeat(220))),
      ),
    },
  ],
  [
    'service.example',
    'SRV',
    {
      answers: [
        record('service.example', 'SRV', octets(u16(1), u16(2), u16(443), name('host.example'))),
      ],
      additionals: [aRecord('host.example', '10.0.4.1')],
    },
  ],
  ['validated.example', 'A', { flags: 0x20, answers: [aRecord('validated.example', '10.0.5.1')] }],
  [
    'web.default.svc.cluster.local',
    'A',
    { answers: [aRecord('web.default.svc.cluster.local', '10.96.3.4', 30)] },
  ],
  [
    `${`${'a'.repeat(62)}.`.repeat(3)}${'b'.repeat(60)}.c`,
    'A',
    { answers: [aRecord(`${`${'a'.repeat(62)}.`.repeat(3)}${'b'.repeat(60)}.c`, '10.0.6.1')] },
  ],
  ['.', 'NS', { answers: [record('.', 'NS', name('a.root.example'))] }],
]

const secondMsMax = 50

export interface DifferentialCounts {
  answered: number
  passed: number
}

export class Differential {
  readonly counts: DifferentialCounts = { answered: 0, passed: 0 }
  readonly bench = new Bench()
  readonly shadow: Shadow
  readonly knownNames = known.length
  readonly maps: HitMaps
  private readonly program: LoadedProgram
  private readonly calls = loadSystemCalls()
  private readonly run: TestRun
  private readonly out = Buffer.alloc(65_535)
  private readonly client = new Client()
  private readonly queries: readonly Buffer[]

  constructor(table: InstructionTable) {
    const { calls, bench } = this
    const sizes = { answersMax: 64, servers: 2 }
    this.program = loadProgram(calls, table, sizes)
    this.maps = new HitMaps({ calls, maps: this.program.maps, sizes, secret })
    this.run = new TestRun(calls, this.program.fd)
    this.shadow = new Shadow(
      {
        maps: this.maps,
        cache: bench.cache,
        generation: () => bench.router.generation,
        nowMs: () => bench.nowMs(),
        bootNs: () => calls.bootNs(),
        isPresent: () => true,
        refresh: () => undefined,
        onHits: () => undefined,
        later: (ms, work) => void setTimeout(work, ms),
      },
      { leaseMs: 600_000, replyBytesMax: 1232, rotates: true },
    )
    bench.cache.watcher = this.shadow
    this.maps.serve({ address: '169.254.20.10', port: 53, family: 4 }, 0)
    this.maps.serve({ address: 'fd00::a', port: 53, family: 6 }, 1)
    this.maps.guard(Array.from({ length: 1024 }, (_, port) => port))
    this.queries = known.map(([qname, type]) => writeQuery(qname, type))
    this.learn()
  }

  close(): void {
    unloadProgram(this.calls, this.program)
  }

  /** Asks twice for everything that the daemon knows, so that it comes into the kernel. */
  learn(): void {
    const { bench, client } = this
    for (const [i, [qname, type, answer]] of known.entries()) {
      const query = this.queries[i] as Buffer
      bench.handle(query, client)
      if (bench.asked.length > 0) bench.answer(responseTo(qname, type, answer))
      for (let hit = 0; hit < 2; hit++) bench.handle(query, client)
      // Refreshes are not what is tested here.
      bench.asked.length = 0
    }
    for (const entry of bench.cache.all()) this.shadow.noteHit(entry)
    this.shadow.round()
  }

  /** A question that the daemon knows the answer to, in one of the forms that clients send. */
  plain(random: Random): Buffer {
    const query = Buffer.from(this.queries[random.below(this.queries.length)] as Buffer)
    query.writeUInt16BE(random.below(65_536), 0)
    for (let at = 12; at < query.length - 5; at++) {
      const letter = (query[at] as number) | 0x20
      if (random.below(4) === 0 && letter >= 97 && letter <= 122 && (query[at] as number) > 63)
        query[at] = (query[at] as number) ^ 0x20
    }
    if (random.below(4) === 0) query[3] = 0x20
    const kind = random.below(3)
    if (kind === 0) return query
    query[11] = 1
    const udpSize = [0, 512, 600, 1232, 4096, 65_535][random.below(6)] as number
    const cookie = kind === 2 ? option(10, Buffer.alloc(8, random.below(256))) : Buffer.alloc(0)
    return octets(query, opt({ udpBytes: udpSize, options: cookie }))
  }

  mutator(random: Random): Mutator {
    const packets = readPackets('queries').map(({ packet }) => packet)
    const some = Array.from({ length: 200 }, () => this.plain(random))
    return new Mutator(random, [...packets.filter(({ length }) => length < 1400), ...some], 3)
  }

  /**
   * Checks one question. @throws when the program answered otherwise than the daemon, or changed what it passed up
   * @returns whether the program answered
   */
  check(options: FrameOptions): boolean {
    const sent = frame(options)
    const endMs = performance.now() + secondMsMax
    for (;;) {
      const { verdict, wire } = this.run.run(sent)
      if (verdict === passedUp) {
        if (!wire.equals(sent)) throw new Error(`passed up, but changed: ${sent.toString('hex')}`)
        this.counts.passed += 1
        return false
      }
      if (verdict !== redirected) throw new Error(`verdict ${verdict}: ${sent.toString('hex')}`)
      const { dns, faults } = readReply(wire, options)
      if (faults.length > 0) throw new Error(`${faults.join(', ')}: ${wire.toString('hex')}`)
      const expected = this.daemonReply(options.dns)
      this.counts.answered += 1
      if (inOrder(dns).equals(inOrder(expected))) return true
      // A second may have passed between the two; their clocks agree to some hundredths of a millisecond.
      if (performance.now() > endMs) {
        throw new Error(
          `question ${options.dns.toString('hex')}\nkernel   ${dns.toString('hex')}\ndaemon   ${expected.toString('hex')}`,
        )
      }
    }
  }

  /** The frame must go on as it is. */
  checkPassed(sent: Buffer): void {
    const { verdict, wire } = this.run.run(sent)
    if (verdict !== passedUp || !wire.equals(sent)) {
      throw new Error(`verdict ${verdict}: ${sent.toString('hex')}`)
    }
    this.counts.passed += 1
  }

  private daemonReply(dns: Buffer): Buffer {
    const { bench, out, client } = this
    const query = Buffer.from(dns)
    bench.pipeline.beginBatch()
    return out.subarray(0, bench.pipeline.handle(query, query.length, out, client))
  }
}

/** The addresses of a set, sorted. */
function inOrder(message: Buffer): Buffer {
  if (message.length < 12) return message
  const run = addressRun(message)
  if (run === 0) return message
  const size = (run & 0x1_0000) === 0 ? 16 : 28
  const start = run & 0xffff
  const end = start + size * (run >>> 17)
  const records = Array.from({ length: run >>> 17 }, (_, i) =>
    message.subarray(start + i * size, start + (i + 1) * size),
  ).toSorted(Buffer.compare)
  return Buffer.concat([message.subarray(0, start), ...records, message.subarray(end)])
}
