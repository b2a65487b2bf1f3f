/** The calls of `status`, which is open to everybody, and of `top`, which names names and clients. */
import { type AdminCall, jsonPage, type Page } from '../../observe/admin-calls.ts'
import type { QueryWatch, Rate, Sketches, Slow } from '../../observe/live/query-watch.ts'
import type { NameClients } from '../pods/client-names.ts'
import type { Everywhere, Operation, Operations } from './operation.ts'
import { joinSummaries, type Summary } from './summary.ts'

const shown = 50
/**
 * Everybody may ask for the sums, so they are made ten times a second at the most: what is left of a request is HTTP's own cost, that of
 * /health (with workers all of them are asked for each).
 */
const sumsKeptMs = 100

/** @param operations takes those that colleagues carry out as well */
export function summaryCalls(
  {
    summary,
    watch,
    nowMs,
    nameClients,
  }: {
    readonly summary: () => Summary
    readonly watch: QueryWatch
    readonly nowMs: () => number
    readonly nameClients: NameClients
  },
  everywhere: Everywhere,
  operations: Operations,
): AdminCall[] {
  const sum: Operation<null, Summary> = { name: 'summary', run: () => summary() }
  const look: Operation<null, Sketches> = { name: 'sketches', run: () => watch.sketches() }
  operations.add(sum)
  operations.add(look)
  const whole = async () => {
    const { outputs, missing } = await everywhere(sum, null)
    const [first = summary(), ...others] = outputs
    const joined = joinSummaries([first, ...others])
    return { ...joined, workers: outputs.length, missing }
  }
  return [
    {
      method: 'GET',
      path: '/v1/status',
      isOpen: true,
      answer: sharedFor(sumsKeptMs, nowMs, async () => jsonPage(await whole())),
    },
    {
      method: 'GET',
      path: '/v1/top',
      answer: async () => {
        const sketches = await everywhere(look, null)
        const { clients, ...others } = joinSketches(sketches.outputs)
        const nowMs = Date.now()
        const pods = await nameClients(clients.map(({ key }) => [key, nowMs]))
        const named = clients.map((one, i) => ({ ...one, pod: pods[i] }))
        return jsonPage({ ...(await whole()), ...others, clients: named })
      },
    },
  ]
}

/** @returns who asks within `keptMs` gets the page that was made for the first */
function sharedFor(keptMs: number, nowMs: () => number, make: () => Promise<Page>) {
  let page: Promise<Page> | undefined
  let madeMs = 0
  return (): Promise<Page> => {
    const now = nowMs()
    if (page === undefined || now - madeMs >= keptMs) {
      page = make()
      madeMs = now
    }
    return page
  }
}

function joinSketches(all: readonly Sketches[]): Sketches {
  return {
    names: joinRates(all.map(({ names }) => names)),
    clients: joinRates(all.map(({ clients }) => clients)),
    slowest: joinSlow(all.map(({ slowest }) => slowest)),
  }
}

function joinRates(lists: readonly (readonly Rate[])[]): Rate[] {
  const sums = new Map<string, number>()
  for (const { key, perSecond } of lists.flat()) sums.set(key, (sums.get(key) ?? 0) + perSecond)
  return [...sums]
    .map(([key, perSecond]) => ({ key, perSecond }))
    .toSorted((a, b) => b.perSecond - a.perSecond)
    .slice(0, shown)
}

function joinSlow(lists: readonly (readonly Slow[])[]): Slow[] {
  const worst = new Map<string, Slow>()
  for (const one of lists.flat())
    if ((worst.get(one.key)?.maxMs ?? -1) < one.maxMs) worst.set(one.key, one)
  return [...worst.values()].toSorted((a, b) => b.maxMs - a.maxMs).slice(0, shown)
}
