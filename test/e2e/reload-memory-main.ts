/**
 * A daemon that is configured anew many times, zones and upstreams coming and going, with questions in between: prints the bytes that
 * live in its heap after each round, compiled code apart, as JSON. Run with --expose-gc, in a process of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { freePort } from '../support/free-port.ts'
import { type House, withHouse } from './support.ts'

const rounds = 6
const reloadsPerRound = 60

/** Compiled code, which grows for as long as functions become hot. */
const codeSpaces: readonly string[] = [
  'code_space',
  'code_large_object_space',
  'trusted_space',
  'trusted_large_object_space',
]

async function liveBytes(): Promise<number> {
  // Sockets that were closed are let go in later turns.
  for (let turn = 0; turn < 3; turn++) {
    await sleep(20)
    globalThis.gc?.()
  }
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !codeSpaces.includes(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0)
}

/** Each number has other zones, groups and upstreams than the one before; all come again. */
function changesOf(house: House, i: number, closedPort: number): Record<string, object> {
  const upstream = `127.0.0.1:${house.external.port}`
  return {
    zones: i % 2 === 0 ? [] : [{ name: `z${i % 7}.example`, upstreams: [upstream] }],
    external: {
      upstreams: i % 3 === 0 ? [upstream, `127.0.0.${2 + (i % 5)}:${closedPort}`] : [upstream],
    },
    cache: { entriesMax: 40_000 + (i % 3) },
    searchPath: { auditOneIn: 100 + (i % 5) },
  }
}

async function round(house: House, closedPort: number): Promise<number> {
  for (let i = 0; i < reloadsPerRound; i++) {
    await house.daemon.reconfigure(house.config(changesOf(house, i, closedPort)))
    const names = [
      `n${i % 5}.example`,
      `n${i % 5}.z${i % 7}.example`,
      `n${i % 5}.default.svc.cluster.local`,
    ]
    await Promise.all(names.map((name) => house.lookup(name)))
  }
  house.external.queries.length = 0
  house.cluster.queries.length = 0
  house.forgetLog()
  return liveBytes()
}

await withHouse({}, async (house) => {
  const closedPort = await freePort()
  const bytes: number[] = []
  for (let n = 0; n < rounds; n++) bytes.push(await round(house, closedPort))
  process.stdout.write(`${JSON.stringify({ bytes, reloadsPerRound })}\n`)
})
