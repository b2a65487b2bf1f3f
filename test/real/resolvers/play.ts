/** Plays one case with one server: upstreams, server, steps; everything ends with it, whatever happens. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TcpClient, UdpClient } from '../../support/client/dns-client.ts'
import { readMessage, type TypeName, writeQuery } from '../../support/client/dns-message.ts'
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
    const upstream = await FakeUpstream.start(behaviour)
    ends.push(() => upstream.stop())
    upstreams.set(name, upstream)
  }
  const port = await freePort()
  const running = await server.start({
    port,
    directory,
    routes: routesOf(one, upstreams),
    serveStale: one.serveStale ?? false,
    settings: one.settings ?? {},
  })
  ends.push(() => running.stop())
  const stage = stageAt(port, upstreams)
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

function stageAt(port: number, upstreams: ReadonlyMap<string, FakeUpstream>): Stage {
  return {
    ask: (name, type, options = {}) => askServer(port, name, type, options),
    upstream: (name) => {
      const upstream = upstreams.get(name)
      if (upstream === undefined) throw new Error(`no upstream ${name}`)
      return upstream
    },
  }
}

async function askServer(
  port: number,
  name: string,
  type: TypeName | number,
  options: AskOptions,
): Promise<Seen> {
  const server = { host: '127.0.0.1', port }
  const query = writeQuery(name, type, options)
  const { timeoutMs = stubTimeoutMs } = options
  const client = options.tcp
    ? await TcpClient.open(server)
    : await UdpClient.open(server, options.from)
  try {
    const startMs = performance.now()
    client.send(query)
    const octets = await client.next(timeoutMs)
    const ms = performance.now() - startMs
    return { question: `${name} ${type}`, ms, ...read(octets) }
  } finally {
    await client.close()
  }
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
