/** Finds a neardns that runs here, and how it was started: `doctor` looks at what that one serves. Reads /proc, changes nothing. */
import { readdir, readlink } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { readProc } from '../../host/node-tools.ts'
import { nodeCacheArguments } from '../../nodelocal/program.ts'

export interface StartedDaemon {
  readonly pid: number
  /** What followed `run`, with an absolute path of the file; as node-cache its arguments. */
  readonly argv: readonly string[]
  /** It serves in the place of node-cache. */
  readonly isNodeCache: boolean
}

/** @returns those of this network namespace, oldest process first */
export async function startedDaemons(): Promise<StartedDaemon[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const ours = await networkOf('self')
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid) return []
      const started = startedBy((await readProc(`/proc/${pid}/cmdline`)).split('\0').slice(0, -1))
      if (started === undefined || (await networkOf(pid)) !== ours) return []
      return [{ ...started, pid, argv: await withWholePaths(started.argv, pid) }]
    }),
  )
  return found.flat().toSorted((a, b) => a.pid - b.pid)
}

/** @param line a process's arguments, its program first @returns undefined when it is no neardns that serves */
export function startedBy(line: readonly string[]): Omit<StartedDaemon, 'pid'> | undefined {
  // The program of NodeLocal DNSCache itself has no Node before it.
  const at = line.findIndex((word, index) =>
    (index > 0 ? /(?:^|\/)(?:main\.[jt]s|neardns|node-cache)$/ : /(?:^|\/)neardns$/).test(word),
  )
  if (at < 0) return undefined
  const program = basename(line[at] ?? '')
  const rest = line.slice(at + 1)
  const ofNodeCache = nodeCacheArguments(program, rest)
  if (ofNodeCache !== undefined) return { argv: ofNodeCache, isNodeCache: true }
  const [first] = rest
  if (first === 'run') return { argv: rest.slice(1), isNodeCache: false }
  const isServing = first === undefined || first.startsWith('--')
  return isServing ? { argv: rest, isNodeCache: false } : undefined
}

async function networkOf(pid: number | 'self'): Promise<string> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => '')
}

async function withWholePaths(argv: readonly string[], pid: number): Promise<readonly string[]> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '/')
  return argv.map((word, index) => {
    if (word.startsWith('--config='))
      return `--config=${whole(word.slice('--config='.length), cwd)}`
    return argv[index - 1] === '--config' ? whole(word, cwd) : word
  })
}

function whole(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path)
}
