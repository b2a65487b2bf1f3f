/** What the program in the kernel reads and counts: writes its answers, addresses, settings, reads its counters. Decides nothing. */
import { readFileSync } from 'node:fs'
import type { Endpoint } from '../address/endpoint.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import {
  addressKeyBytes,
  answerSize,
  countSlots,
  type HashSecret,
  type KernelAnswer,
  keyBytes,
  portWords,
  settingsBytes,
  shapes,
  writeAddress,
  writeAnswer,
  writeKey,
  writeSettings,
} from './layout.ts'
import type { ProgramMaps, ProgramSizes } from './program.ts'

const enoent = 2

export interface HitMapsParts {
  readonly calls: SystemCalls
  readonly maps: ProgramMaps
  readonly sizes: ProgramSizes
  readonly secret: HashSecret
}

export class HitMaps {
  readonly sizes: ProgramSizes
  private readonly parts: HitMapsParts
  private readonly key = Buffer.alloc(keyBytes)
  private readonly value = Buffer.alloc(answerSize)
  private readonly settings = Buffer.alloc(settingsBytes)
  private readonly zero = Buffer.alloc(4)
  private readonly uses: BigUint64Array
  private readonly cpus = possibleCpus()
  private generation = 0n
  private isBroken = false

  constructor(parts: HitMapsParts) {
    this.parts = parts
    this.sizes = parts.sizes
    this.uses = new BigUint64Array(parts.sizes.answersMax * parts.sizes.servers * shapes)
  }

  /** @returns false when the program cannot give it, another name has its hash, or there is no room */
  put(qtype: number, answer: Omit<KernelAnswer, 'generation'>): boolean {
    const { maps, secret } = this.parts
    this.generation += 1n
    if (!writeAnswer(this.value, { ...answer, generation: this.generation })) return false
    writeKey(this.key, answer.name, qtype, secret)
    return maps.answers.add(this.key, this.value) === 0
  }

  /** @param name folded wire form */
  take(name: Buffer, qtype: number): void {
    writeKey(this.key, name, qtype, this.parts.secret)
    const result = this.parts.maps.answers.delete(this.key)
    // What cannot be taken back would be given for ever: better nothing at all.
    if (result < 0 && result !== -enoent) {
      this.isBroken = true
      this.lease(0n, 0)
      throw new Error(`an answer cannot be taken out of the kernel: errno ${-result}`)
    }
  }

  /** @param untilNs CLOCK_BOOTTIME; nothing is answered after it */
  lease(untilNs: bigint, replyBytesMax: number): void {
    const { maps, secret, sizes } = this.parts
    const { servers } = sizes
    const leaseNs = this.isBroken ? 0n : untilNs
    writeSettings(this.settings, { ...secret, leaseNs, replyBytesMax, servers })
    maps.settings.update(this.zero, this.settings)
  }

  /** Answers questions to this address from now on. @param server its index in the counters */
  serve({ address, port }: Endpoint, server: number): void {
    const key = Buffer.alloc(addressKeyBytes)
    writeAddress(key, address, port)
    const value = Buffer.alloc(4)
    value.writeUInt32LE(server)
    this.parts.maps.addresses.update(key, value)
  }

  noLongerServe({ address, port }: Endpoint): void {
    const key = Buffer.alloc(addressKeyBytes)
    writeAddress(key, address, port)
    this.parts.maps.addresses.delete(key)
  }

  /** Packets from these source ports are passed up. */
  guard(ports: Iterable<number>): void {
    const words = new BigUint64Array(portWords)
    for (const port of ports) {
      words[port >>> 6] = (words[port >>> 6] as bigint) | (1n << BigInt(port & 63))
    }
    const key = Buffer.alloc(4)
    const value = Buffer.alloc(8)
    for (const [at, word] of words.entries()) {
      key.writeUInt32LE(at)
      value.writeBigUInt64LE(word)
      this.parts.maps.ports.update(key, value)
    }
  }

  /** @returns hits since the start by slot, server and shape; the next call overwrites them */
  readUses(): BigUint64Array {
    this.parts.maps.uses.readAll(Buffer.from(this.uses.buffer))
    return this.uses
  }

  /** @returns hits, then packets passed up by reason, in the order of `passedReasons` */
  readCounts(): number[] {
    const key = Buffer.alloc(4)
    const values = Buffer.alloc(8 * this.cpus)
    return Array.from({ length: countSlots }, (_, slot) => {
      key.writeUInt32LE(slot)
      if (this.parts.maps.counts.lookup(key, values) < 0) return 0
      let sum = 0
      for (let at = 0; at < values.length; at += 8) sum += Number(values.readBigUInt64LE(at))
      return sum
    })
  }
}

/** The kernel gives the value of each CPU that may ever be there: `0-3`, as a rule. */
function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'latin1').trim()
  return Number(text.split(/[-,]/).at(-1)) + 1
}
