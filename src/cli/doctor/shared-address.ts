/** Whether another process has an address of the daemon: a second cache. Reads /proc, changes nothing. */
import { type Endpoint, formatEndpoint } from '../../address/endpoint.ts'
import { type Finding, fault } from '../diagnosis/finding.ts'
import { conflictsWith, holdersOf, readListening } from '../diagnosis/listeners.ts'
import { startedDaemons } from './started-daemon.ts'

export interface SharedAddress {
  readonly at: Endpoint
  /** Programs other than the daemon, as `coredns (process 7)`; empty: nobody that this user may see. */
  readonly others: readonly string[]
  /** The daemon has it too. */
  readonly isOurs: boolean
}

/** @returns addresses that somebody else has; of workers each has the sockets of its parent, which are no others */
export async function sharedAddresses(listen: readonly Endpoint[]): Promise<SharedAddress[]> {
  const sockets = await readListening()
  const daemons = new Set((await startedDaemons()).map(({ pid }) => pid))
  const looked = await Promise.all(
    listen.map(async (at) => {
      const met = conflictsWith(at, sockets)
      // One socket for each transport is what a daemon has.
      const held = await Promise.all(met.map(async (one) => await holdersOf([one])))
      const isOurs = held.some((holders) => holders.some(({ pid }) => daemons.has(pid)))
      const strange = held.filter((holders) => holders.every(({ pid }) => !daemons.has(pid)))
      // Without a daemon that is seen, a socket of nobody may be the daemon's.
      if (strange.length === 0 || (!isOurs && strange.flat().length === 0)) return []
      const names = strange.flat().map(({ pid, name }) => `${name} (process ${pid})`)
      return [{ at, others: [...new Set(names)], isOurs }]
    }),
  )
  return looked.flat()
}

export function sharedFindings(shared: readonly SharedAddress[]): Finding[] {
  return shared.map(({ at, others, isOurs }) =>
    fault(
      'port',
      isOurs
        ? `${formatEndpoint(at)} is another program’s as well, which gets a part of the queries`
        : `${formatEndpoint(at)} is taken`,
      {
        cause:
          others.length > 0 ? `by ${others.join(', ')}` : 'by a process that this user may not see',
        next: 'stop it: a NodeLocal DNSCache that was left (kubectl -n kube-system delete daemonset node-local-dns), or a resolver bound to all addresses',
      },
    ),
  )
}
