/** Starts the programs that a bench is about, each behind a wrapper command where wanted: a cgroup, a CPU. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { corednsPath } from '../../test/support/needs.ts'
import { Child } from '../../test/support/process.ts'

export const repository = join(import.meta.dirname, '..', '..')

/** A command that ends in starting another one: `taskset -c 0`, `sh -c '...; exec "$@"' sh`. */
export type Wrapper = readonly string[]

export const unwrapped: Wrapper = []

export function onCpu(cpu: number): Wrapper {
  return ['taskset', '-c', String(cpu)]
}

/** The process is a member before it starts, so that all its memory is charged. */
export function inCgroup(procsFile: string): Wrapper {
  return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', procsFile]
}

export function startWrapped(wrapper: Wrapper, command: string, args: readonly string[]): Child {
  const [first = command, ...rest] = [...wrapper, command, ...args]
  return new Child(first, rest)
}

/** @returns once it is ready; throws with its last words when it does not become so */
export async function startNeardns(args: readonly string[], wrapper: Wrapper): Promise<Child> {
  const main = join(repository, 'src', 'main.ts')
  const child = startWrapped(wrapper, process.execPath, [main, 'run', ...args])
  await child.line((line) => line.includes('"listening"') && line.includes('"ready"'), 15_000)
  return child
}

/** Where a server runs and where its configuration file goes. */
export interface Place {
  readonly cpu: number
  readonly directory: string
}

let counter = 0

/** Pinned before it starts: the Go runtime counts its CPUs once. */
export async function startCoredns(corefile: string, { cpu, directory }: Place): Promise<Child> {
  counter += 1
  const file = join(directory, `Corefile-${counter}`)
  writeFileSync(file, corefile)
  const path = corednsPath()
  if (path === undefined) throw new Error('no CoreDNS binary')
  const child = startWrapped(onCpu(cpu), path, ['-conf', file])
  await child.line((line) => line.startsWith('CoreDNS-'), 10_000)
  return child
}

export interface UnboundParts {
  /** Lines of the `server:` clause beside those all have; each indented and ended. */
  readonly server: string
  /** Further clauses. */
  readonly forward: string
}

/** One thread, no validation. */
export async function startUnbound(
  { server, forward }: UnboundParts,
  { cpu, directory }: Place,
): Promise<Child> {
  counter += 1
  const file = join(directory, `unbound-${counter}.conf`)
  writeFileSync(file, `${unboundBase}${server}${forward}`)
  const child = startWrapped(onCpu(cpu), 'unbound', ['-d', '-p', '-c', file])
  await child.line((line) => line.includes('start of service'), 10_000)
  return child
}

const unboundBase = `remote-control:
  control-enable: no
server:
  verbosity: 1
  use-syslog: no
  logfile: ""
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "/"
  pidfile: ""
  num-threads: 1
  access-control: 0.0.0.0/0 allow
  do-not-query-localhost: no
  module-config: "iterator"
`

export interface Responder {
  readonly child: Child
  readonly port: number
}

/** The scripted upstream of support/responder.ts in a process of its own. */
export async function startResponder(wrapper: Wrapper = unwrapped): Promise<Responder> {
  const port = await freePort()
  const main = join(import.meta.dirname, 'responder-main.ts')
  const child = startWrapped(wrapper, process.execPath, [main, String(port)])
  await child.line((line) => line === 'responder ready', 10_000)
  return { child, port }
}
