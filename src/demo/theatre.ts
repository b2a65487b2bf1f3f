/**
 * Builds and takes down everything that the demo needs in this process: the two stand-ins and the real daemon between them and
 * the pods. All sockets are on 127.0.0.1.
 */
import { loadConfig, type Override } from '../config/load.ts'
import { formatProblem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { BindError } from '../system/bind.ts'
import { clusterAnswer, demoDomain } from './cluster-zone.ts'
import { outsideAnswer } from './outside-world.ts'
import { podSearchList } from './search-list.ts'
import { StandIn } from './stand-in.ts'
import { type Stage, usualTtlSeconds } from './story.ts'

/** The part of the daemon that the demo uses. */
export interface Stoppable {
  stop(): Promise<void>
}

export type StartDaemon = (config: Config) => Promise<Stoppable>

export interface Theatre {
  readonly stage: Stage
  /** Stops the daemon, then the stand-ins. */
  close(): Promise<void>
}

/** Ports tried, from the wanted one on, while another process has them. */
const portTriesMax = 20

/**
 * @param wantedPort the daemon's port, or the first that is tried
 * @throws BindError when none of the ports is free
 */
export async function openTheatre(startDaemon: StartDaemon, wantedPort: number): Promise<Theatre> {
  let ttlSeconds = usualTtlSeconds
  const settings = demoConfig([])
  const coredns = new StandIn(
    { isRecursive: false, answer: (qname, qtype) => clusterAnswer(qname, qtype, ttlSeconds) },
    settings,
  )
  const outside = new StandIn({ isRecursive: true, answer: outsideAnswer }, settings)
  const stopStandIns = async () => {
    await Promise.all([coredns.stop(), outside.stop()])
  }
  await coredns.start()
  try {
    await outside.start()
    const upstreams = [
      override('--cluster-upstream', ['cluster', 'upstreams'], coredns.port),
      override('--upstream', ['external', 'upstreams'], outside.port),
    ]
    const { daemon, port } = await startOnFreePort(startDaemon, upstreams, wantedPort)
    return {
      stage: {
        port,
        coredns,
        outside,
        search: podSearchList('shop', demoDomain),
        setClusterTtl: (seconds) => {
          ttlSeconds = seconds
        },
      },
      close: async () => {
        await daemon.stop()
        await stopStandIns()
      },
    }
  } catch (error) {
    await stopStandIns()
    throw error
  }
}

async function startOnFreePort(
  startDaemon: StartDaemon,
  upstreams: readonly Override[],
  wantedPort: number,
): Promise<{ daemon: Stoppable; port: number }> {
  for (let port = wantedPort; ; port++) {
    const config = demoConfig([...upstreams, override('--listen', ['listen'], port)])
    try {
      return { daemon: await startDaemon(config), port }
    } catch (error) {
      const isTaken = error instanceof BindError && error.code === 'EADDRINUSE'
      if (!isTaken || port === wantedPort + portTriesMax - 1 || port === 65_535) throw error
    }
  }
}

function override(flag: string, path: readonly string[], port: number): Override {
  return { flag, path, value: `127.0.0.1:${port}`, isListItem: true }
}

/** Defaults everywhere else: the demo shows the daemon as it is. The log is off, because its lines would break up the account. */
function demoConfig(overrides: readonly Override[]): Config {
  const silent = { flag: '--log-level', path: ['log', 'level'], value: 'silent', isListItem: false }
  const result = loadConfig({ overrides: [silent, ...overrides] })
  if (result.ok) return result.config
  throw new Error(result.problems.map(formatProblem).join('\n'))
}
