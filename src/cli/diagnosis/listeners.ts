/** Which sockets listen on this node, and who has them, from /proc. Reads, changes nothing. */
import { readdir, readlink } from 'node:fs/promises'
import { addressOfHex } from '../../host/facts.ts'
import { readProc } from '../../host/node-tools.ts'

export interface ListeningSocket {
  readonly transport: 'udp' | 'tcp'
  /** `0.0.0.0` and `::` for all addresses. */
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** State `TCP_LISTEN` of include/net/tcp_states.h; UDP sockets without a peer have `TCP_CLOSE`. */
const listenState = { tcp: '0A', udp: '07' } as const

export async function readListening(read = readProc): Promise<ListeningSocket[]> {
  const tables = await Promise.all(
    (['udp', 'udp6', 'tcp', 'tcp6'] as const).map(async (name) => {
      const transport = name.startsWith('udp') ? ('udp' as const) : ('tcp' as const)
      return listeningIn(await read(`/proc/net/${name}`), transport)
    }),
  )
  return tables.flat()
}

/** @param table text of /proc/net/udp, udp6, tcp or tcp6 */
export function listeningIn(table: string, transport: 'udp' | 'tcp'): ListeningSocket[] {
  const rows = table.matchAll(
    /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) (?:\S+ +){5}(\d+)/gm,
  )
  return [...rows].flatMap(([, hex = '', port = '', state, inode = '']) =>
    state === listenState[transport]
      ? [{ transport, address: addressOfHex(hex), port: Number.parseInt(port, 16), inode }]
      : [],
  )
}

/** @returns sockets that a bind to this address would meet */
export function conflictsWith(
  { address, port }: { readonly address: string; readonly port: number },
  sockets: readonly ListeningSocket[],
): ListeningSocket[] {
  const isV6 = address.includes(':')
  const all = isV6 ? ['::'] : ['0.0.0.0', '::']
  const isWild = all.includes(address)
  return sockets.filter(
    (one) =>
      one.port === port &&
      (one.address === address ||
        // A socket of [::] may be for IPv6 alone: seen only when it is bound.
        one.address === (isV6 ? '::' : '0.0.0.0') ||
        (isWild && one.address.includes(':') === isV6)),
  )
}

export interface Holder {
  readonly pid: number
  /** Name of the program, as in `ps`. */
  readonly name: string
}

/** @returns the processes that have these sockets, as far as this user may see */
export async function holdersOf(sockets: readonly ListeningSocket[]): Promise<Holder[]> {
  if (sockets.length === 0) return []
  const wanted = new Set(sockets.map(({ inode }) => `socket:[${inode}]`))
  const pids = (await list('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const links = await Promise.all(
        (await list(`/proc/${pid}/fd`)).map((fd) => link(`/proc/${pid}/fd/${fd}`)),
      )
      if (!links.some((one) => wanted.has(one))) return []
      return [{ pid: Number(pid), name: (await readProc(`/proc/${pid}/comm`)).trim() }]
    }),
  )
  return found.flat()
}

async function list(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}

async function link(path: string): Promise<string> {
  return readlink(path).catch(() => '')
}
