/** Finds a neardns that runs here, and how it was started: `doctor` looks at what that one serves. Reads /proc, changes nothing. */
import { readdir, readlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { readProc } from '../../host/node-tools.ts'

export interface StartedDaemon {
  readonly pid: number
  /** What followed `run`, with an absolute path of the file. */
  readonly argv: readonly string[]
}

/** @returns those of this network namespace, oldest process first */
export async function startedDaemons(): Promise<StartedDaemon[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const ours = await networkOf('self')
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid) return []
      const argv = runArguments((await readProc(`/proc/${pid}/cmdline`)).split('\0').slice(0, -1))
      if (argv === undefined || (await networkOf(pid)) !== ours) return []
      return [{ pid, argv: await withWholePaths(argv, pid) }]
    }),
  )
  return found.flat().toSorted((a, b) => a.pid - b.pid)
}

/** @param line a process's arguments, its program first @returns undefined when it is no `neardns run` */
export function runArguments(line: readonly string[]): readonly string[] | undefined {
  const at = line.findIndex((word) => /(?:^|\/)(?:main\.[jt]s|neardns)$/.test(word))
  if (at < 0) return undefined
  const rest = line.slice(at + 1)
  const [first] = rest
  if (first === 'run') return rest.slice(1)
  return first === undefined || first.startsWith('--') ? rest : undefined
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
