/**
 * Datagrams that the kernel threw away because a socket's receive buffer was full: the `drops` column of
 * /proc/net/udp and udp6, the only place that has it per socket. Reads files, no sockets; Linux only, elsewhere
 * there is nothing to report.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'

export interface LocalAddress {
  /** IP literal without brackets. */
  readonly address: string
  readonly port: number
}

interface SocketLine {
  readonly key: string
  readonly inode: string
  readonly drops: number
}

/**
 * @returns drops by `address:port` (`[address]:port` for IPv6). Another process may share the address
 *   (SO_REUSEPORT): then only this process's sockets count. Addresses nobody listens on are left out. Never rejects.
 */
export async function readKernelDrops(
  wanted: readonly LocalAddress[],
  proc = '/proc',
): Promise<Map<string, number>> {
  const drops = new Map<string, number>()
  const lines = [
    ...parseSockets(await readText(`${proc}/net/udp`)),
    ...parseSockets(await readText(`${proc}/net/udp6`)),
  ]
  let ownInodes: Set<string> | undefined
  for (const { address, port } of wanted) {
    const key = socketKey(address, port)
    let sockets = lines.filter((line) => line.key === key)
    if (sockets.length > 1) {
      ownInodes ??= await readOwnInodes(proc)
      const own = ownInodes
      sockets = sockets.filter(({ inode }) => own.has(inode))
    }
    if (sockets.length === 0) continue
    const label = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    drops.set(
      label,
      sockets.reduce((sum, socket) => sum + socket.drops, 0),
    )
  }
  return drops
}

/** Columns: sl local rem st queues timer retransmits uid timeout inode ref pointer drops. The head line has no colon. */
function parseSockets(text: string): SocketLine[] {
  const lines: SocketLine[] = []
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/)
    const key = columns[1]
    const inode = columns[9]
    const drops = Number(columns[12])
    if (columns.length < 13 || key?.includes(':') !== true || inode === undefined) continue
    if (Number.isSafeInteger(drops)) lines.push({ key, inode, drops })
  }
  return lines
}

/** The kernel prints each 32-bit word of an address as a number in host byte order (little-endian on all our targets). */
function socketKey(address: string, port: number): string {
  const octets = address.includes(':') ? ipv6Octets(address) : address.split('.').map(Number)
  let hex = ''
  for (let word = 0; word < octets.length; word += 4) {
    for (let octet = 3; octet >= 0; octet--) hex += hexOctet(octets[word + octet] ?? 0)
  }
  return `${hex.toUpperCase()}:${hexOctet(port >> 8)}${hexOctet(port & 0xff)}`.toUpperCase()
}

function hexOctet(octet: number): string {
  return octet.toString(16).padStart(2, '0')
}

/** @param address valid IPv6 text: it is the name of a socket we have bound */
function ipv6Octets(address: string): number[] {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const zeros = new Array<number>(Math.max(0, 16 - left.length - right.length)).fill(0)
  return [...left, ...zeros, ...right]
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
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
