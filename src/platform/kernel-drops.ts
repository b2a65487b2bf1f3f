/**
 * Datagrams that the kernel threw away because a socket's receive buffer was full: the `drops` column of
 * /proc/net/udp and udp6, the only place that has it per socket. Reads files, no sockets; Linux only, elsewhere
 * there is nothing to report.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { addressBytes } from '../address/ip-address.ts'

/** `address` is the IP of a socket that we have bound. */
export type LocalAddress = Omit<Endpoint, 'family'>

/**
 * The kernel hands the table out page by page and counts its way to the next, so that sockets which come and go meanwhile
 * make it skip a line (or give one twice): what is missing is looked for again.
 */
const readingsMax = 3

/**
 * @returns drops by address as `formatEndpoint` prints it. Another process may share the address
 *   (SO_REUSEPORT): then only this process's sockets count. Addresses nobody listens on are left out. Never rejects.
 */
export async function readKernelDrops(
  wanted: readonly LocalAddress[],
  proc = '/proc',
): Promise<Map<string, number>> {
  const drops = new Map<string, number>()
  let missing = wanted
  for (let reading = 0; reading < readingsMax && missing.length > 0; reading++) {
    const table = `${await readText(`${proc}/net/udp`)}\n${await readText(`${proc}/net/udp6`)}`
    for (const one of missing) {
      const sockets = findSockets(table, socketKey(one))
      const own = sockets.size > 1 ? await readOwnInodes(proc) : undefined
      const counted = [...sockets].filter(([inode]) => own === undefined || own.has(inode))
      if (counted.length === 0) continue
      drops.set(
        formatEndpoint(one),
        counted.reduce((sum, [, count]) => sum + count, 0),
      )
    }
    missing = missing.filter((one) => !drops.has(formatEndpoint(one)))
  }
  return drops
}

/**
 * Drops of the sockets bound to `key`, by inode. Columns: sl local rem st queues timer retransmits uid timeout inode ref pointer
 * drops. Searched, not split: a node can have thousands of lines, of which a few are ours.
 */
function findSockets(table: string, key: string): Map<string, number> {
  const found = new Map<string, number>()
  // Colon and blank end the first column: the remote address, in the third, is not preceded by them.
  const needle = `: ${key} `
  for (let at = table.indexOf(needle); at >= 0; at = table.indexOf(needle, at + 1)) {
    const lineEnd = table.indexOf('\n', at)
    const columns = table.slice(at + 2, lineEnd < 0 ? undefined : lineEnd).split(/\s+/)
    const [inode, drops] = [columns[8], Number(columns[11] || Number.NaN)]
    if (inode !== undefined && Number.isSafeInteger(drops)) found.set(inode, drops)
  }
  return found
}

/** The kernel prints each 32-bit word of an address as a number in host byte order (little-endian on all our targets). */
function socketKey({ address, port }: LocalAddress): string {
  const words = Buffer.from(addressBytes(address)).swap32().toString('hex')
  return `${words}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

async function readOwnInodes(proc: string): Promise<Set<string>> {
  const inodes = new Set<string>()
  const directory = `${proc}/self/fd`
  const names = await readdir(directory).catch(() => [])
  const targets = await Promise.all(
    names.map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  )
  for (const target of targets) {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode !== undefined) inodes.add(inode)
  }
  return inodes
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
