/**
 * One run of the fuzzer: mutated packets, one after another, into a target; time per packet is watched. A failure names
 * seed and number and shows the packet, so that it can become a fixture.
 */
import { Mutator } from './mutator.ts'
import { Random } from './random.ts'
import { must } from './wire-target.ts'

/** No packet may hold up the others for longer. */
const packetMsMax = 5
/** Not even together with a garbage collection. */
const stallMsMax = 50
/** What takes longer is measured again. */
const retryMs = 0.5

export interface Campaign {
  readonly seed: number
  readonly packets: number
  readonly corpus: readonly Buffer[]
  /** Changes per packet at most; 4 unless said otherwise. */
  readonly changesMax?: number
  /** Throws when something is wrong with what was made of the packet. */
  readonly target: (packet: Buffer, packetBytes: number) => void
}

export interface CampaignResult {
  readonly slowestMs: number
  readonly tookMs: number
}

/** @throws for the first packet that the target does not like, or that takes too long */
export function runCampaign({
  seed,
  packets,
  corpus,
  changesMax = 4,
  target,
}: Campaign): CampaignResult {
  const mutator = new Mutator(new Random(seed), corpus, changesMax)
  const startedMs = performance.now()
  let slowestMs = 0
  for (let number = 0; number < packets; number++) {
    mutator.next()
    const { packet, packetBytes } = mutator
    try {
      slowestMs = Math.max(slowestMs, timed(target, packet, packetBytes))
    } catch (error) {
      const hex = packet.toString('hex', 0, Math.min(packetBytes, 1024))
      const where = `seed ${seed}, packet ${number}, ${packetBytes} octets: ${hex}`
      // uvu does not print causes.
      throw new Error(`${error instanceof Error ? error.stack : error}\n${where}`)
    }
  }
  return { slowestMs, tookMs: performance.now() - startedMs }
}

/**
 * CPU time of this thread, so that a pause of the machine is no fault of the packet. A garbage collection may fall into any
 * packet's time: what was slow is tried again, and the fastest of four runs counts.
 */
function timed(target: Campaign['target'], packet: Buffer, packetBytes: number): number {
  let fastestMs = Number.POSITIVE_INFINITY
  for (let run = 0; run < 4 && fastestMs > retryMs; run++) {
    const before = process.threadCpuUsage()
    target(packet, packetBytes)
    const { user, system } = process.threadCpuUsage(before)
    const tookMs = (user + system) / 1000
    must(tookMs <= stallMsMax, `took ${tookMs} ms`)
    fastestMs = Math.min(fastestMs, tookMs)
  }
  must(fastestMs <= packetMsMax, `took ${fastestMs} ms`)
  return fastestMs
}

/** The seed of this run: given by NEARDNS_FUZZ_SEED, else a new one each time. */
export function chooseSeed(): number {
  const given = Number(process.env['NEARDNS_FUZZ_SEED'] ?? Number.NaN)
  return Number.isInteger(given) ? given : Math.floor(Math.random() * 0x7fff_ffff)
}

/** How many packets a test run tries; NEARDNS_FUZZ_PACKETS overrides it. */
export function packetCount(usual: number): number {
  return Number(process.env['NEARDNS_FUZZ_PACKETS'] ?? usual)
}
