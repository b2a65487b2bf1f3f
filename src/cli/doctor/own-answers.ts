/** Whether the daemon answers at its own addresses, and whether it is this daemon that does. */
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import { type Finding, fault, ok } from '../diagnosis/finding.ts'
import { type ProbeQuestion, type ProbeResult, probe } from './probe.ts'

export interface OwnAnswer {
  readonly at: Endpoint
  readonly results: readonly ProbeResult[]
}

/** Answered without an upstream (RFC 6761 6.3). */
const question: ProbeQuestion = { name: 'localhost', type: 'A' }
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export async function askOwn(listen: readonly Endpoint[]): Promise<OwnAnswer[]> {
  return await Promise.all(
    listen.map(async (at) => {
      const server = { ...at, address: wildcards[at.address] ?? at.address }
      const ask = (transport: 'udp' | 'tcp') => probe(server, transport, { question, times: 2 })
      return { at, results: await Promise.all([ask('udp'), ask('tcp')]) }
    }),
  )
}

export interface OwnAnswersContext {
  /** Datagrams that the daemon counted at each address while it was asked; undefined when that is not known. */
  readonly received: ReadonlyMap<string, number> | undefined
  /** Addresses at which the node itself is answered by others, by design. */
  readonly elsewhere: readonly string[]
}

export function ownFindings(
  answers: readonly OwnAnswer[],
  { received, elsewhere }: OwnAnswersContext,
): Finding[] {
  return answers.flatMap(({ at, results }) => {
    const place = formatEndpoint(at)
    const silent = results.filter(({ tookMs }) => tookMs.length === 0)
    if (silent.length > 0) {
      const over = silent.map(({ transport }) => transport.toUpperCase()).join(' and ')
      const why = silent[0]?.failures.join('; ') ?? ''
      return [
        fault('answers', `nothing at ${place} over ${over}`, {
          cause: why.includes('refused')
            ? 'no daemon listens there: it does not run, or its `listen` differs'
            : `${why}: a firewall drops packets to the node, or the daemon hangs`,
          next: "ss -lunp 'sport = :53'; the log of the daemon",
        }),
      ]
    }
    const isElsewhere = elsewhere.includes(at.address)
    if (received?.get(place) === 0 && !isElsewhere) {
      return [
        fault('answers', `${place} is answered by another server`, {
          cause:
            'queries are led past this daemon: to CoreDNS by kube-proxy or the standby rule, or to another process',
          next: 'neardns rules show; nft list ruleset, or iptables-save -t nat',
        }),
      ]
    }
    const ms = results.flatMap(({ tookMs }) => tookMs).toSorted((a, b) => a - b)[0] ?? 0
    const whose = isElsewhere ? '; by kube-proxy for the node itself' : ''
    return [ok('answers', `${place} over UDP and TCP, ${ms.toFixed(1)} ms${whose}`)]
  })
}
