/**
 * `npm run cluster:try`: applies the manifests as they are (or the chart) to a cluster, asks from a pod, and shows each command with its
 * output. Passes only when the pod was answered by neardns and the kernel tracked none of its queries.
 */
import { Cluster } from '../cluster.ts'
import { Deployment, manifestDirectory } from '../deployment.ts'
import { installChart } from '../helm.ts'
import { type ClusterOptions, linkLocal, podCidr } from '../layout.ts'
import { applyPods } from '../pods.ts'

type Say = (text: string) => void

export async function tryOut(
  options: Partial<ClusterOptions>,
  withChart: boolean,
  say: Say,
): Promise<boolean> {
  const cluster = await Cluster.up(options, say)
  const deployment = new Deployment(cluster)
  const kubectl = async (...args: readonly string[]) => {
    say(`$ kubectl ${args.join(' ')}`)
    const { code, stdout, stderr } = await cluster.kubectl.try(args)
    say((stdout + stderr).trimEnd())
    return { isGood: code === 0, text: stdout }
  }
  await applyPods(cluster)
  if (withChart) await installChart(cluster, [], say)
  else if (!(await kubectl('apply', '-k', manifestDirectory)).isGood) return false
  await kubectl('-n', 'kube-system', 'rollout', 'status', 'daemonset/neardns', '--timeout=90s')
  await kubectl('-n', 'kube-system', 'get', 'pods', '-o', 'wide')
  if (!(await deployment.isReady(1))) {
    say(`neardns is not ready\n${await deployment.complaint()}`)
    return false
  }
  return await isShown(cluster, deployment, { kubectl, say })
}

interface Stage {
  readonly kubectl: (...args: readonly string[]) => Promise<{ isGood: boolean; text: string }>
  readonly say: Say
}

async function isShown(cluster: Cluster, deployment: Deployment, stage: Stage): Promise<boolean> {
  const { kubectl, say } = stage
  const requestsBefore = await answeredRequests(deployment)
  const resolvConf = await kubectl('exec', 'client', '--', 'cat', '/etc/resolv.conf')
  const inside = await kubectl('exec', 'client', '--', 'getent', 'ahostsv4', 'web')
  const outside = await kubectl('exec', 'client', '--', 'getent', 'ahostsv4', 'www.example.com')
  const address = (name: string) => ['exec', 'client', '--', 'dig', '+short', `@${linkLocal}`, name]
  await kubectl(...address('kubernetes.default.svc.cluster.local'))
  const tracked = await trackedQueries(cluster, say)
  const requests = (await answeredRequests(deployment)) - requestsBefore
  say(`requests that neardns counted meanwhile: ${requests}`)
  const checks: Readonly<Record<string, boolean>> = {
    'resolv.conf names neardns': resolvConf.text.includes(`nameserver ${linkLocal}`),
    'a name of the cluster is resolved': inside.isGood && /^10\.96\./.test(inside.text),
    'a name outside is resolved': outside.isGood && outside.text.startsWith('192.0.2.1'),
    'neardns answered': requests >= 3,
    'no query of the pod is in the connection table': tracked === 0,
  }
  for (const [what, isTrue] of Object.entries(checks)) say(`${isTrue ? 'ok  ' : 'FAIL'} ${what}`)
  return Object.values(checks).every(Boolean)
}

async function answeredRequests(deployment: Deployment): Promise<number> {
  const page = await deployment.admin('/metrics')
  return page
    .split('\n')
    .filter((line) => line.startsWith('coredns_dns_requests_total{'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Entries of the kernel's connection table for pods' queries to neardns. */
async function trackedQueries(cluster: Cluster, say: Say): Promise<number> {
  say('# conntrack -L')
  const { stdout, stderr } = await cluster.node.run(['conntrack', '-L'])
  const pods = podCidr.split('.').slice(0, 2).join('.')
  const mine = stdout
    .split('\n')
    .filter((line) => line.includes(`src=${pods}.`) && line.includes(`dst=${linkLocal} `))
  say(
    [...mine, stderr.trim(), `entries of pods' queries to ${linkLocal}: ${mine.length}`].join('\n'),
  )
  return mine.length
}
