/** The calls about single queries: the last slow and failed ones, and queries as they come. */

import { parseScopedAddress } from '../../address/ip-address.ts'
import { parseType } from '../../core/explain.ts'
import { ReplySource } from '../../core/facts.ts'
import {
  type AdminCall,
  type CallRequest,
  errorPage,
  jsonPage,
  type Page,
} from '../../observe/admin-calls.ts'
import type { FlightView } from '../../observe/live/flight-recorder.ts'
import type { TailFilter, TailPage } from '../../observe/live/query-watch.ts'
import { knownRcodeName } from '../../observe/rcode-name.ts'
import { parseName, presentName } from '../../wire/name.ts'
import type { DataPath } from '../data-path.ts'
import type { FindClient, NameClients } from '../pods/client-names.ts'
import type { Everywhere, Operation, Operations } from './operation.ts'

export interface LiveParts extends Pick<DataPath, 'flights' | 'watch'> {
  readonly nameClients: NameClients
  readonly findClient: FindClient
}

interface TailInput {
  readonly viewer: string
  readonly filter: TailFilter
}

/** @param operations takes those that colleagues carry out as well */
export function liveCalls(
  { flights, watch, nameClients, findClient }: LiveParts,
  everywhere: Everywhere,
  operations: Operations,
): AdminCall[] {
  const slow: Operation<null, readonly FlightView[]> = {
    name: 'slow',
    run: () => flights.slow(),
  }
  const failures: Operation<null, readonly FlightView[]> = {
    name: 'failures',
    run: () => flights.failures(),
  }
  const tail: Operation<TailInput, TailPage | undefined> = {
    name: 'tail',
    run: ({ viewer, filter }) => watch.tail(viewer, filter),
  }
  operations.add(slow)
  operations.add(failures)
  operations.add(tail)
  return [
    {
      ...{ method: 'GET', path: '/v1/slow' },
      answer: () => flightsPage(everywhere, slow, nameClients),
    },
    {
      ...{ method: 'GET', path: '/v1/failures' },
      answer: () => flightsPage(everywhere, failures, nameClients),
    },
    {
      ...{ method: 'GET', path: '/v1/tail' },
      answer: (request) => tailPage(request, everywhere, tail, { nameClients, findClient }),
    },
  ]
}

async function flightsPage(
  everywhere: Everywhere,
  operation: Operation<null, readonly FlightView[]>,
  nameClients: NameClients,
): Promise<Page> {
  const { outputs, missing } = await everywhere(operation, null)
  const queries = outputs.flat().toSorted((a, b) => b.atMs - a.atMs)
  return jsonPage({
    queries: await withPods(queries, nameClients),
    ...{ workers: outputs.length, missing },
  })
}

async function tailPage(
  { params }: CallRequest,
  everywhere: Everywhere,
  operation: Operation<TailInput, TailPage | undefined>,
  { nameClients, findClient }: Pick<LiveParts, 'nameClients' | 'findClient'>,
): Promise<Page> {
  const input = readTail(params)
  if (typeof input === 'string') return errorPage(400, input)
  const whose = await clientsMeant(params.get('client'), findClient)
  if (typeof whose === 'string') return errorPage(400, whose)
  const filter = { ...input.filter, ...whose }
  const { outputs, missing } = await everywhere(operation, { ...input, filter })
  const pages = outputs.flatMap((page) => page ?? [])
  if (pages.length === 0) return errorPage(429, 'too many look already; end another tail')
  const lines = pages.flatMap((page) => page.lines).toSorted((a, b) => a.atMs - b.atMs)
  const lost = pages.reduce((sum, page) => sum + page.lost, 0)
  return jsonPage({
    lines: await withPods(lines, nameClients),
    ...{ lost, workers: outputs.length, missing },
  })
}

/** A pod's addresses are looked up at each look: the one that takes its place has others. @returns what is wrong, in one line */
async function clientsMeant(
  client: string | null,
  findClient: FindClient,
): Promise<Pick<TailFilter, 'clients'> | string> {
  if (client === null) return {}
  const written = parseScopedAddress(client)
  if (written !== undefined) return { clients: [written.address] }
  const found = await findClient(client)
  const what = `client is ${JSON.stringify(client)}; expected an IP address`
  if (found === undefined) return `${what} (names of pods are known where admin.podNames is on)`
  if (found.length > 0) return { clients: found }
  return `${what}, "node", or a pod that runs on this node as namespace/name`
}

/** Each with whose address it was when it asked. */
async function withPods<Line extends { readonly client: string; readonly atMs: number }>(
  lines: readonly Line[],
  nameClients: NameClients,
): Promise<readonly Line[]> {
  const pods = await nameClients(lines.map(({ client, atMs }) => [client, atMs]))
  return lines.map((line, i) => ({ ...line, pod: pods[i] }))
}

const viewerCharsMax = 64

/** @returns what is wrong, in one line */
function readTail(params: URLSearchParams): TailInput | string {
  const mistake = mistakeIn(params)
  if (mistake !== undefined) return mistake
  const given = (key: string) => params.get(key) ?? undefined
  const [under, type, source] = [given('under'), given('type'), given('source')]
  const rcode = given('rcode')
  const name = under === undefined ? undefined : parseName(under)
  const qtype = type === undefined ? undefined : parseType(type)
  return {
    viewer: given('viewer') ?? '',
    filter: {
      tookMsMin: Number(given('slower') ?? 0),
      ...(name !== undefined && { under: presentName(name, 0) }),
      ...(qtype !== undefined && { qtype }),
      ...(source !== undefined && { source }),
      ...(rcode !== undefined && { rcode: knownRcodeName(rcode) ?? rcode }),
    },
  }
}

const sources = Object.keys(ReplySource)

/** By parameter: whether its value is right, and what would be. */
const rules: Readonly<Record<string, readonly [isRight: (text: string) => boolean, what: string]>> =
  {
    viewer: [
      (text) => text !== '' && text.length <= viewerCharsMax,
      `a text of 1 to ${viewerCharsMax} characters`,
    ],
    under: [(text) => text !== '' && parseName(text) !== undefined, 'a domain name'],
    type: [(text) => parseType(text) !== undefined, 'a record type such as AAAA, or TYPE65'],
    source: [(text) => sources.includes(text), `one of ${sources.join(', ')}`],
    slower: [(text) => /^\d+(\.\d+)?$/.test(text), 'a number of milliseconds'],
    // `clientsMeant` reads it, which takes time.
    client: [() => true, ''],
    rcode: [
      (text) => knownRcodeName(text) !== undefined,
      'a response code such as NXDOMAIN, or other for those without a name',
    ],
  }

function mistakeIn(params: URLSearchParams): string | undefined {
  if (!params.has('viewer')) return 'viewer is missing'
  for (const [key, text] of params) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    if (rule === undefined) return `unknown parameter ${JSON.stringify(key)}`
    const [isRight, what] = rule
    if (!isRight(text)) return `${key} is ${JSON.stringify(text)}; expected ${what}`
  }
  return undefined
}
