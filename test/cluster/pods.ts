/**
 * The two test pods: applied, awaited, and the process through which a load enters the client's namespaces.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { processesOf } from './deployment.ts'
import { configDirectory } from './layout.ts'

export async function applyPods({ kubectl }: Cluster): Promise<void> {
  await kubectl.apply(readFileSync(join(configDirectory, 'pods.yaml'), 'utf8'))
  await kubectl.run(['wait', '--for=condition=Ready', 'pod/client', 'pod/web', '--timeout=60s'])
}

/** The machine's pid of the client's first process. */
export async function clientPid({ kubectl }: Cluster): Promise<number> {
  const path = '{.status.containerStatuses[0].containerID}'
  const id = await kubectl.run(['get', 'pod', 'client', '-o', `jsonpath=${path}`])
  const [pid] = processesOf(id.replace('containerd://', ''))
  if (pid === undefined) throw new Error('the client pod has no process')
  return pid
}
