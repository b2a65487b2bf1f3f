/** Plays one case with one server: upstreams, server, steps; everything ends with it, whatever happens. */
import { renameSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TcpClient, UdpClient } from '../../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../../support/client/dns-message.ts'
import { freePort } from '../../support/free-port.ts'
import { FakeUpstream } from '../../upstream/fake-upstream.ts'
import { type AskOptions, type Case, type Seen, type Stage, stubTimeoutMs, Wrong } from './case.ts'
import type { Route, Server } from './servers/server.ts'

export type Verdict =
  | { readonly verdict: 'right' }
  | { readonly verdict: 'wrong' | 'not asked'; readonly seen: string }

/** A case that takes longer is wrong: no step waits for more than some seconds. */
const caseTimeoutMs = 60_000

export async function play(one: Case, server: Server): Promise<Verdict> {
  const reason = one.notFor?.[server.name]
  if (reason !== undefined) return { verdict: 'not asked', seen: reason }
  const ends: (() => Promise<unknown>)[] = []
  try {
    await inTime(perform(one, server, ends))
    return { verdict: 'right' }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    return { verdict: 'wrong', seen: error.message }
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

async function inTime(what: Promise<void>): Promise<void> {
  const timer = Promise.withResolvers<void>()
  const alarm = setTimeout(
    () => timer.reject(new Wrong(`not done after ${caseTimeoutMs / 1000} s`)),
    caseTimeoutMs,
  )
  try {
    await Promise.race([what, timer.promise])
  } finally {
    clearTimeout(alarm)
  }
}

async function perform(one: Case, server: Server, ends: (() => Promise<unknown>)[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-resolvers-'))
  ends.push(() => rm(directory, { recursive: true, force: true }))
  const upstreams = new Map<string, FakeUpstream>()
  for (const [name, behaviour] of Object.entries(one.upstreams)) {
    const upstream = await FakeUpstream.start(behaviour, placeOf(one))
    ends.push(() => upstream.stop())
    upstreams.set(name, upstream)
  }
  const port = await freePort()
  const resolvConf = one.fromResolvConf ? join(directory, 'resolv.conf') : undefined
  const named = one.fromResolvConf?.map((name) => `nameserver ${upstreams.get(name)?.host}\n`)
  if (resolvConf) writeFileSync(resolvConf, named?.join('') ?? '')
  const running = await server.start({
    host: one.onEveryAddress ? '0.0.0.0' : '127.0.0.1',
    port,
    directory,
    resolvConf,
    routes: routesOf(one, upstreams),
    serveStale: one.serveStale ?? false,
    settings: one.settings ?? {},
  })
  ends.push(() => running.stop())
  const stage = stageAt(port, upstreams, resolvConf)
  for (const step of one.steps) await step(stage)
}

function routesOf(one: Case, upstreams: ReadonlyMap<string, FakeUpstream>): Route[] {
  const routes = one.routes ?? { '.': Object.keys(one.upstreams) }
  return Object.entries(routes).map(([zone, names]) => ({
    zone,
    upstreams: names.flatMap((name) => {
      const upstream = upstreams.get(name)
      return upstream ? [{ host: upstream.host, port: upstream.port }] : []
    }),
    overTcp: one.overTcp?.includes(zone) ?? false,
    isCluster: one.cluster === zone,
  }))
}

function stageAt(
  port: number,
  upstreams: ReadonlyMap<string, FakeUpstream>,
  resolvConf: string | undefined,
): Stage {
  return {
    ask: async (name, type, options = {}) => {
      const query = writeQuery(name, type, options)
      const sending = { what: `${name} ${type}`, query, options }
      const seen = await exchange(port, sending)
      if (!options.asStub || !seen.reply?.tc) return seen
      const again = await exchange(port, { ...sending, options: { ...options, tcp: true } })
      return { ...again, ms: seen.ms + again.ms }
    },
    send: (query, what) => exchange(port, { what, query, options: {} }),
    writeResolvConf: (text) => {
      // In one step, as tools do that keep such files: no server must see half of it.
      if (resolvConf === undefined) throw new Error('the case has no resolv.conf')
      writeFileSync(`${resolvConf}.new`, text)
      renameSync(`${resolvConf}.new`, resolvConf)
    },
    upstream: (name) => {
      const upstream = upstreams.get(name)
      if (upstream === undefined) throw new Error(`no upstream ${name}`)
      return upstream
    },
  }
}

interface Sending {
  readonly what: string
  readonly query: Uint8Array
  readonly options: AskOptions
}

async function exchange(port: number, { what, query, options }: Sending): Promise<Seen> {
  const { timeoutMs = stubTimeoutMs, to = '127.0.0.1', tcp = false, from } = options
  const server = { host: to, port }
  const client = tcp ? await TcpClient.open(server) : await UdpClient.open(server, from)
  try {
    const startMs = performance.now()
    client.send(query)
    const octets = await client.next(timeoutMs)
    const ms = performance.now() - startMs
    return { question: what, ms, ...read(octets) }
  } finally {
    await client.close()
  }
}

let addresses = 0

/** resolv.conf knows no ports: each upstream then has port 53 of an address that nobody else uses. */
function placeOf(one: Case): { host?: string; port?: number } {
  if (one.fromResolvConf) {
    const [high, low] = [process.pid >> 8, process.pid & 255]
    return { host: `127.${100 + (addresses++ % 100)}.${high & 255}.${low}`, port: 53 }
  }
  return one.upstreamHost === undefined ? {} : { host: one.upstreamHost }
}

function read(octets: Buffer | undefined): Pick<Seen, 'reply' | 'problem' | 'octets'> {
  if (octets === undefined)
    return { reply: undefined, problem: 'no reply', octets: Buffer.alloc(0) }
  try {
    return { reply: readMessage(octets), problem: '', octets }
  } catch {
    return { reply: undefined, problem: 'a malformed reply', octets }
  }
}
