/**
 * The Job of manifests/rehearse on the test cluster, as it is but for the node's name and the time that it takes, while a pod asks the
 * ClusterIP: what an operator does before the switch. Judges nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../cluster.ts'
import { manifestDirectory, replaced } from '../deployment.ts'
import { kubeDnsIp, nodeName } from '../layout.ts'
import { waitFor } from '../run.ts'

const directory = join(manifestDirectory, 'rehearse')
const job = `job/neardns-rehearse-${nodeName}`
/** Long enough for the load below, which begins when the Job says that it listens. */
const listensSeconds = 8
const rounds = 10
/** Each name is asked in each round: what is asked again is what a cache spares. */
const names = ['web.default.svc.cluster.local', 'missing.default.svc.cluster.local'] as const

export interface Rehearsal {
  /** Queries that the pod sent; each got a reply. */
  readonly sent: number
  /** The Job's log. */
  readonly report: string
}

/** @throws when the Job does not start, does not end, or the pod gets no answer */
export async function rehearse({ kubectl }: Cluster): Promise<Rehearsal> {
  const inSystem = (...args: readonly string[]) => kubectl.run(['-n', 'kube-system', ...args])
  const log = async () => (await kubectl.try(['-n', 'kube-system', 'logs', job])).stdout
  await kubectl.apply(readFileSync(join(directory, 'configmap.yaml'), 'utf8'))
  await kubectl.apply(jobOf(readFileSync(join(directory, 'job.yaml'), 'utf8')))
  try {
    await waitFor('the rehearsal listening', 60, async () => (await log()).includes('listening'))
    const sent = await askFromPod({ kubectl })
    await inSystem('wait', '--for=jsonpath={.status.conditions}', job, '--timeout=60s')
    return { sent, report: await log() }
  } catch (error) {
    throw new Error(`${String(error)}\nthe Job's log: ${await log()}`)
  } finally {
    await inSystem('delete', '--ignore-not-found', job, 'configmap/neardns-rehearse')
  }
}

function jobOf(text: string): string {
  return replaced(text.replaceAll('NODE', nodeName), '--for=5m', `--for=${listensSeconds}s`)
}

async function askFromPod({ kubectl }: Pick<Cluster, 'kubectl'>): Promise<number> {
  const ask = names.map((name) => `dig +tries=1 +time=2 @${kubeDnsIp} ${name} || exit 1`)
  const loop = `for round in ${[...Array(rounds).keys()].join(' ')}; do ${ask.join('; ')}; done`
  const { code, stdout, stderr } = await kubectl.inClient(['sh', '-c', loop])
  if (code !== 0) throw new Error(`the pod got no answer: ${(stdout + stderr).slice(-500)}`)
  return rounds * names.length
}
