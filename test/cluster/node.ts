/**
 * The node of a test cluster from outside: commands in its namespaces, its components' processes, its files. Never knows Kubernetes'
 * objects (kubectl.ts does).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Component, commandOf } from './components.ts'
import { type ClusterOptions, nodeName, type Places, placesOf, shellDirectory } from './layout.ts'
import { must, pause, type Ran, type RunOptions, run, startDetached, waitFor } from './run.ts'

const everyNamespace = ['--net', '--mount', '--uts', '--ipc', '--pid'] as const

export class Node {
  readonly places: Places
  readonly name: string

  constructor(name: string) {
    this.name = name
    this.places = placesOf(name)
  }

  /** Makes the node's mount and PID namespaces with a process 1 that only waits. */
  async create(options: ClusterOptions, nft: string | undefined): Promise<void> {
    const { nodeNs, state, logs } = this.places
    const isLegacy = options.proxyMode === 'iptables-legacy'
    const shell = startDetached(
      [
        ...['nsenter', `--net=/run/netns/${nodeNs}`],
        ...['unshare', '--mount', '--propagation', 'private', '--pid', '--uts', '--ipc'],
        ...['--fork', '--mount-proc', join(shellDirectory, 'node-init.sh')],
        ...[state, nodeName, isLegacy ? 'legacy' : 'nft', nft ?? '-'],
      ],
      join(logs, 'node-init.log'),
    )
    await waitFor('the node', 10, () => existsSync(join(state, 'node.ready')))
    // The child of `unshare` is the namespace's process 1.
    this.#writePid('node', this.#onlyChild(shell))
  }

  /** In the node's network only, with the machine's files; `ip netns exec` would hide /sys/fs/cgroup. */
  inNetwork(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(['nsenter', `--net=/run/netns/${this.places.nodeNs}`, ...argv], options)
  }

  /** As a program of the node: its network, files, host name and processes. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(this.#entering(argv), options)
  }

  must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(this.#entering(argv), options)
  }

  async start(component: Component, options: ClusterOptions): Promise<void> {
    const argv = this.#entering(commandOf(component, options))
    const outer = startDetached(argv, this.logFile(component))
    let child: number | undefined
    await waitFor(`${component}'s process`, 5, () => {
      child = childrenOf(outer)[0]
      return child !== undefined
    })
    if (child !== undefined) this.#writePid(component, child)
  }

  /** Ends a component and waits until it is gone. */
  async stop(component: Component, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const pid = this.pid(component)
    process.kill(pid, signal)
    await waitFor(`the end of ${component}`, 20, () => !isAlive(pid))
  }

  /** Ends process 1, and the kernel with it every process and mount of the node. */
  async destroy(): Promise<void> {
    const pid = this.#readPid('node')
    if (pid === undefined) return
    kill(pid)
    await waitFor('the end of the node', 20, () => !isAlive(pid))
    // Mounts go a moment later than the process.
    await pause(200)
  }

  logFile(component: string): string {
    return join(this.places.logs, `${component}.log`)
  }

  log(component: string): string {
    const file = this.logFile(component)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  /** The machine's pid of a component. */
  pid(component: string): number {
    const pid = this.#readPid(component)
    if (pid === undefined) throw new Error(`${component} was not started`)
    return pid
  }

  isRunning(component: string): boolean {
    const pid = this.#readPid(component)
    return pid !== undefined && isAlive(pid)
  }

  /** Starts the resolver of the world outside. */
  startWorld(argv: readonly string[]): void {
    const { worldNs } = this.places
    const whole = ['nsenter', `--net=/run/netns/${worldNs}`, ...argv]
    // nsenter without --pid becomes the command itself.
    this.#writePid('world', startDetached(whole, this.logFile('world')))
  }

  stopWorld(): void {
    const pid = this.#readPid('world')
    if (pid !== undefined) kill(pid)
  }

  #entering(argv: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.pid('node')), ...everyNamespace, ...argv]
  }

  #onlyChild(pid: number): number {
    const [child] = childrenOf(pid)
    if (child === undefined) throw new Error(`process ${pid} has no child`)
    return child
  }

  #pidFile(what: string): string {
    return join(this.places.state, 'pids', what)
  }

  #writePid(what: string, pid: number): void {
    mkdirSync(join(this.places.state, 'pids'), { recursive: true })
    // Numbers are used again: the start time tells one process from another.
    writeFileSync(this.#pidFile(what), `${pid} ${startedAt(pid)}`)
  }

  #readPid(what: string): number | undefined {
    const file = this.#pidFile(what)
    if (!existsSync(file)) return undefined
    const [pid, start] = readFileSync(file, 'utf8').split(' ')
    return startedAt(Number(pid)) === start ? Number(pid) : undefined
  }
}

export function isAlive(pid: number): boolean {
  const state = statOf(pid)[0]
  return state !== undefined && state !== 'Z'
}

export function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

/** Clock ticks since the machine's start. */
function startedAt(pid: number): string {
  return statOf(pid)[19] ?? ''
}

/** The fields of /proc/PID/stat from the state on. */
function statOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
