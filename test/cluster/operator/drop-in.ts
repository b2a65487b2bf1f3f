/**
 * `npm run cluster:drop-in`: what a user of NodeLocal DNSCache does and sees. Its manifest in the manner of Kubernetes, kubespray and deliveryhero's
 * chart, the image line changed and nothing else; a pod asks each address; then the DaemonSet is deleted. Each command is shown with its output.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '../cluster.ts'
import { replaced } from '../deployment.ts'
import { type ClusterOptions, configDirectory, kubeDnsIp, nodeIp } from '../layout.ts'
import { applyPods } from '../pods.ts'
import { waitFor } from '../run.ts'

type Say = (text: string) => void

interface Shape {
  /** Of its file in config/drop-in. */
  readonly name: string
  readonly image: string
  readonly daemonSet: string
  readonly localIp: string
  readonly healthPort: number
  /** Whether pods that name the ClusterIP are served as well. */
  readonly takesClusterIp: boolean
}

const shapes: readonly Shape[] = [
  {
    ...{ name: 'kubernetes', image: 'k8s-dns-node-cache:1.26.8', daemonSet: 'node-local-dns' },
    ...{ localIp: '169.254.20.10', healthPort: 8080, takesClusterIp: true },
  },
  {
    ...{ name: 'kubespray', image: 'k8s-dns-node-cache:1.26.8', daemonSet: 'nodelocaldns' },
    ...{ localIp: '169.254.25.10', healthPort: 9254, takesClusterIp: false },
  },
  {
    ...{ name: 'deliveryhero', image: 'k8s-dns-node-cache:1.26.7', daemonSet: 'node-local-dns' },
    ...{ localIp: '169.254.20.25', healthPort: 8080, takesClusterIp: true },
  },
]

const image = 'neardns:0.1.0'
const servingSeconds = 30
const inside = ['kubernetes.default.svc.cluster.local', '10.96.0.1'] as const
const outside = ['www.example.com', '192.0.2.1'] as const

/** @returns whether all of them did what their node-cache does */
export async function tryDropIns(options: Partial<ClusterOptions>, say: Say): Promise<boolean> {
  const cluster = await Cluster.up(options, say)
  await applyPods(cluster)
  let areAllRight = true
  for (const shape of shapes) {
    const faults = await new DropIn(cluster, shape, say).run()
    for (const fault of faults) say(`FAIL ${shape.name}: ${fault}`)
    if (faults.length === 0) say(`ok   ${shape.name}`)
    areAllRight &&= faults.length === 0
  }
  return areAllRight
}

class DropIn {
  private readonly cluster: Cluster
  private readonly shape: Shape
  private readonly say: Say

  constructor(cluster: Cluster, shape: Shape, say: Say) {
    this.cluster = cluster
    this.shape = shape
    this.say = say
  }

  async run(): Promise<string[]> {
    const { name, image: before, daemonSet } = this.shape
    const file = `${name}.yaml`
    const manifest = replaced(
      readFileSync(join(configDirectory, 'drop-in', file), 'utf8'),
      ...([`image: ${before}`, `image: ${image}`] as const),
    )
    this.say(`# ${name}\n$ sed -i 's|image: ${before}|image: ${image}|' ${file}`)
    try {
      await this.kubectl(['apply', '-f', '-'], manifest)
      const rollOut = ['rollout', 'status', `daemonset/${daemonSet}`, '--timeout=90s']
      const { isGood } = await this.kubectl(['-n', 'kube-system', ...rollOut])
      return isGood ? await this.faults() : ['it is not rolled out']
    } finally {
      await this.kubectl(['delete', '--ignore-not-found', '-f', '-'], manifest)
    }
  }

  private async faults(): Promise<string[]> {
    const { daemonSet, localIp, healthPort, takesClusterIp } = this.shape
    const addresses = takesClusterIp ? [localIp, kubeDnsIp] : [localIp]
    // Two of the three have no readiness probe: until it serves, CoreDNS answers.
    await waitFor('health', servingSeconds, async () => (await this.health()) === 'OK')
    const before = await this.requests()
    const answers = await this.askEach(addresses)
    const logs = await this.kubectl(['-n', 'kube-system', 'logs', `daemonset/${daemonSet}`])
    this.say(`$ curl http://${localIp}:${healthPort}/health\n${await this.health()}`)
    const counted = (await this.requests()) - before
    const asked = 2 * addresses.length
    const wanted = {
      'a name is not answered': answers.length === 0,
      'the log has no line of the start': logs.text.includes('"msg":"ready"'),
      [`${counted} requests counted of ${asked}`]: counted >= asked,
    }
    await this.kubectl(['-n', 'kube-system', 'delete', `daemonset/${daemonSet}`])
    const afterwards = await this.askEach([kubeDnsIp])
    return [
      ...Object.entries(wanted).flatMap(([fault, isRight]) => (isRight ? [] : [fault])),
      ...answers,
      ...afterwards.map((fault) => `after the deletion ${fault}`),
    ]
  }

  /** @returns what was answered wrongly */
  private async askEach(addresses: readonly string[]): Promise<string[]> {
    const faults: string[] = []
    for (const address of addresses)
      for (const [name, wanted] of [inside, outside]) {
        const dig = ['dig', '+short', '+tries=1', `@${address}`, name]
        const { text } = await this.kubectl(['exec', 'client', '--', ...dig])
        if (text.trim() !== wanted) faults.push(`${address} ${name}: ${text.trim()}`)
      }
    return faults
  }

  private async kubectl(
    args: readonly string[],
    stdin?: string,
  ): Promise<{ isGood: boolean; text: string }> {
    this.say(`$ kubectl ${args.join(' ')}`)
    const given = stdin === undefined ? {} : { stdin }
    const { code, stdout, stderr } = await this.cluster.kubectl.try(args, given)
    this.say((stdout + stderr).trimEnd())
    return { isGood: code === 0, text: stdout }
  }

  private async health(): Promise<string> {
    const { localIp, healthPort } = this.shape
    return (await this.fetched(`http://${localIp}:${healthPort}/health`)).trim()
  }

  private async fetched(url: string): Promise<string> {
    const curl = ['curl', '-sS', '--max-time', '3', url]
    return (await this.cluster.node.inNetwork(curl)).stdout
  }

  /** Requests that its page of metrics has. */
  private async requests(): Promise<number> {
    const page = await this.fetched(`http://${nodeIp}:9253/metrics`)
    return page
      .split('\n')
      .filter((line) => line.startsWith('coredns_dns_requests_total{'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
}
