/**
 * A test whose daemon is on a node of its own, and the test itself in a pod of that node: hits in the kernel are possible then. Started by
 * `node behind-veth.ts TESTS...`, which makes both namespaces and runs the tests in the pod's.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { installTable } from '../../kernel/table.ts'
import { Netns } from './netns.ts'

const variable = 'NEARDNS_NODE_NETNS'
const nodeHost = '10.79.0.1'
const podHost = '10.79.0.2'
/** Of clients, each a pod as far as the daemon can tell. */
const clientHosts = Array.from({ length: 16 }, (_, i) => `10.79.0.${101 + i}`)

export interface Place {
  /** Where the daemon is started; undefined: where the test is. */
  readonly netns: string | undefined
  readonly daemonHost: string
  /** Where servers of the test listen. */
  readonly ownHost: string
  readonly clientHost: (number: number) => string
  /** For the daemon's configuration. */
  readonly settings: Readonly<Record<string, unknown>>
}

const netns = process.env[variable]

export const place: Place =
  netns === undefined
    ? {
        ...{ netns, daemonHost: '127.0.0.1', ownHost: '127.0.0.1', settings: {} },
        clientHost: (number) => `127.0.9.${number + 1}`,
      }
    : {
        ...{ netns, daemonHost: nodeHost, ownHost: podHost },
        // By name: several daemons of a test may be at the one interface, and each passes on what is not its own.
        settings: { kernelHits: { mode: 'auto', interfaces: ['veth1'] } },
        clientHost: (number) => clientHosts[number % clientHosts.length] ?? podHost,
      }

async function main(tests: readonly string[]): Promise<number> {
  installTable()
  const node = await Netns.create('node')
  const pod = await Netns.create('pod')
  try {
    await node.ip('link', 'add', 'veth1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
    await node.ip('addr', 'add', `${nodeHost}/24`, 'dev', 'veth1')
    await node.ip('link', 'set', 'veth1', 'up')
    for (const host of [podHost, ...clientHosts])
      await pod.ip('addr', 'add', `${host}/24`, 'dev', 'eth0')
    await pod.ip('link', 'set', 'eth0', 'up')
    const runner = join(import.meta.dirname, '../../run.ts')
    const args = ['netns', 'exec', pod.name, process.execPath, runner, ...tests]
    const child = spawn('ip', args, {
      stdio: 'inherit',
      env: { ...process.env, [variable]: node.name },
    })
    return await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  } finally {
    await pod.remove()
    await node.remove()
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
