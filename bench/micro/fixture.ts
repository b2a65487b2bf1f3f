/** The data path as the daemon builds it, with default settings, its caches filled through a real upstream on loopback. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { loadConfig } from '../../src/config/load.ts'
import type { Cache } from '../../src/core/cache/cache.ts'
import { QuestionKey } from '../../src/core/cache/key.ts'
import { type Peer, Transport } from '../../src/core/ports.ts'
import type { Router } from '../../src/core/router.ts'
import { DataPath, type Outlook } from '../../src/daemon/data-path.ts'
import { planRouting } from '../../src/daemon/routing.ts'
import { judgeTrust } from '../../src/daemon/search-trust.ts'
import { createLog } from '../../src/observe/log.ts'
import { QueryCounters } from '../../src/observe/query-counters.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { makeImage } from '../../src/wire/image.ts'
import type { Question } from '../../src/wire/question.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import { scriptedReply } from './packets.ts'

export interface Primed {
  readonly path: DataPath
  readonly peer: Peer
}

/** All defaults, one upstream over UDP for everything, times to live that outlast a bench. */
export function defaultOutlook(upstreamPort: number, more = ''): Outlook {
  const upstream = `"udp://127.0.0.1:${upstreamPort}"`
  const text = `cluster: { upstreams: [${upstream}], ttl: { positiveMaxSeconds: 3600 } }
external: { upstreams: [${upstream}] }
${more}`
  const read = loadConfig({ file: { name: 'bench.yaml', text } })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const { config } = read
  const routing = planRouting(config, [], [], [])
  const counters = new QueryCounters(
    ['dns://127.0.0.1:53'],
    routing.zones.map(({ zone }) => zone),
  )
  return { config, routing, own: [], counters, trust: judgeTrust(config, undefined) }
}

/**
 * Asks all `queries` once and returns when each has been answered; no upstream is left behind.
 * @param more further settings, YAML
 */
export async function primed(queries: readonly Buffer[], more = ''): Promise<Primed> {
  const upstream = createSocket('udp4')
  upstream.on('message', (query, { port, address }) => {
    upstream.send(scriptedReply(query, 3600), port, address)
  })
  upstream.bind(0, '127.0.0.1')
  await once(upstream, 'listening')
  const path = new DataPath(
    defaultOutlook(upstream.address().port, more),
    { log: createLog({ level: 'silent' }) },
    new SystemClock(),
  )
  const out = Buffer.alloc(65_535)
  for (const query of queries) await answered(path, query, out)
  path.exchange.stop()
  upstream.close()
  return { path, peer: peerWith(() => undefined) }
}

function answered(path: DataPath, query: Buffer, out: Buffer): Promise<void> {
  return new Promise((resolve) => {
    path.pipeline.beginBatch()
    const isReady = path.pipeline.handle(query, query.length, out, peerWith(resolve)) > 0
    if (isReady) resolve()
  })
}

function peerWith(onReply: () => void): Peer {
  return {
    transport: Transport.udp,
    family: 4,
    port: 40_000,
    serverIndex: 0,
    address: () => '127.0.0.1',
    hold: () => ({ send: onReply }),
  }
}

/** Puts the scripted reply to a query into the cache, for an hour from time zero. */
export function keep(cache: Cache, router: Router, query: Buffer, question: Question): void {
  const key = new QuestionKey().read(query, question)
  const reply = scriptedReply(query)
  const scan = new ResponseScan()
  scanResponse(reply, reply.length, scan)
  const image = makeImage(reply, scan, new Uint8Array(scan.records).fill(1), false)
  if (image === undefined) throw new Error('the scripted reply has no image')
  const imageScan = new ResponseScan()
  scanResponse(image, image.length, imageScan)
  cache.put({
    key: key.text(),
    hash: key.nameHash,
    image,
    scan: imageScan,
    isDenial: false,
    lifetimeSeconds: 3600,
    route: router.route(key.name, key.nameBytes),
    routeGeneration: router.generation,
    nowMs: 0,
  })
}
