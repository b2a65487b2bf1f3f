/** Cuts the settings that take memory down to what the memory limit leaves room for. Reads no limit, logs nothing. */
import { cacheBytesDefault } from '../config/cache-settings.ts'
import { socketsMaxDefault } from '../config/exchange-settings.ts'
import type { Config } from '../config/schema.ts'
import { cacheBytesWithin, udpSocketsWithin } from '../platform/memory-limit.ts'

/** A setting that is larger than the limit allows. */
export interface Cut {
  readonly setting: string
  readonly configured: number
  readonly used: number
  /** Somebody has asked for more than the default. */
  readonly isChosen: boolean
}

/** An answer in the kernel with its counters, measured: 1.07 KB. */
const kernelAnswerBytes = 1200
/** What `cacheBytesWithin` leaves at the least. */
const cacheBytesMin = 65_536

type Asked = Pick<Config['external'], 'exchange'>

/**
 * @param limitBytes of this process; 0 for none
 * @returns the configuration to use, and what was cut; once for a setting that several groups have
 */
export function withinMemory(
  config: Config,
  limitBytes: number,
): { config: Config; cuts: readonly Cut[] } {
  const cuts = new Map<string, Cut>()
  const cut = (setting: string, configured: number, most: number, usual: number): number => {
    if (configured <= most) return configured
    cuts.set(setting, { setting, configured, used: most, isChosen: configured > usual })
    return most
  }
  const { cache, external, cluster, zones, kernelHits } = config
  // The kernel counts what we put there as ours.
  const inKernel = kernelHits.mode === 'off' ? 0 : kernelHits.entriesMax * kernelAnswerBytes
  const socketsMost = udpSocketsWithin(limitBytes)
  const group = <G extends Asked>(one: G): G => {
    const { udp } = one.exchange
    const socketsMax = cut(
      'exchange.udp.socketsMax',
      udp.socketsMax,
      socketsMost,
      socketsMaxDefault,
    )
    return { ...one, exchange: { ...one.exchange, udp: { ...udp, socketsMax } } }
  }
  const cutConfig = {
    ...config,
    cache: {
      ...cache,
      bytesMax: cut(
        'cache.bytesMax',
        cache.bytesMax,
        Math.max(cacheBytesMin, cacheBytesWithin(limitBytes) - inKernel),
        cacheBytesDefault,
      ),
    },
    external: group(external),
    cluster: group(cluster),
    zones: zones.map(group),
  }
  return { config: cutConfig, cuts: [...cuts.values()] }
}
