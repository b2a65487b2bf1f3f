/** How long it takes until pods see a Service that has just been made, where a public name has stood in its place so far. */
import * as assert from 'uvu/assert'
import { asksFromTwoSockets, type ClientKind, LookupLoop } from '../client/lookup-loop.ts'
import type { SearchLab } from '../lab/search-lab.ts'
import type { Moving } from './moving-services.ts'

/** Five seconds, plus what CoreDNS needs to hear of it. */
export const visibleMsMax = 5000 + 1000
/** Cuts, cached denials and their refreshes are all in play by then. */
const warmUpMs = 1500
/** Halves that a client may find at the moment of change. */
const tornMax = (kind: ClientKind) => (asksFromTwoSockets(kind) ? 1 : 0)
/** Whoever has seen it goes on looking for so long: it must not be gone again. */
const afterMs = 800

interface Seen {
  readonly kind: ClientKind
  readonly visibleMs: number
}

/** @returns when each client found all of it; fails when one found half of it (from two sockets: more than once), or lost it again */
export async function timeVisibility(
  lab: SearchLab,
  kinds: readonly ClientKind[],
  service: Moving,
): Promise<readonly Seen[]> {
  const [name = ''] = service.names
  const clients = await Promise.all(kinds.map((kind) => LookupLoop.start(kind, lab.net.pod.name)))
  const [absent, present] = [service.absent.join(' '), service.present.join(' ')]
  try {
    for (const client of clients) {
      const before = await lookUpUntil(client, name, performance.now() + warmUpMs, () => false)
      assert.is(before.at(-1)?.found, absent)
    }
    const bornMs = performance.now()
    const endMs = bornMs + visibleMsMax + 1500
    const watches = clients.map(async (client) => {
      const found = await lookUpUntil(client, name, endMs, (found) => found === present)
      const visibleMs = (found.at(-1)?.endMs ?? Number.POSITIVE_INFINITY) - bornMs
      const after = await lookUpUntil(client, name, performance.now() + afterMs, () => false)
      assertWhole(client.kind, [...found, ...after], { absent, present })
      return { kind: client.kind, visibleMs }
    })
    await lab.change(...service.arrival)
    return await Promise.all(watches)
  } finally {
    await lab.change(...service.departure)
    for (const client of clients) await client.stop()
  }
}

interface Found {
  readonly found: string
  readonly endMs: number
}

async function lookUpUntil(
  client: LookupLoop,
  name: string,
  endMs: number,
  isEnough: (found: string) => boolean,
): Promise<Found[]> {
  const results: Found[] = []
  while (performance.now() < endMs) {
    const { addresses, endMs: foundMs } = await client.lookup(name)
    results.push({ found: addresses.join(' '), endMs: foundMs })
    if (isEnough(addresses.join(' '))) break
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  return results
}

function assertWhole(
  kind: ClientKind,
  results: readonly Found[],
  { absent, present }: { readonly absent: string; readonly present: string },
): void {
  const found = results.map((result) => result.found)
  const stray = found.filter((each) => each !== present && each !== absent)
  assert.ok(stray.length <= tornMax(kind), `half of it, or nothing: ${kind} ${stray.join(', ')}`)
  const first = found.indexOf(present)
  assert.ok(first >= 0, `never seen: ${kind}`)
  assert.not.ok(found.slice(first).includes(absent), `gone again: ${kind}`)
}
