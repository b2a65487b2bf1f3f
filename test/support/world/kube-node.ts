/**
 * The Kubernetes of one node of the tests: the shared API server with the Services of DNS in it, a kube-proxy of the node's own, and
 * the changes that a test makes to the cluster. What a test has changed is put back when its node goes.
 */
import {
  type DnsEndpoint,
  type DnsService,
  nodeObject,
  nodeStatus,
  serviceObjects,
} from './kube-objects.ts'
import { KubeServer } from './kube-server.ts'
import type { Netns } from './netns.ts'
import { type KubeProxyChoice, RealKubeProxy } from './real-kube-proxy.ts'

/** What the cluster of a node consists of, before a test changes it. */
export interface NodeCluster {
  readonly nodeName: string
  readonly nodeAddresses: readonly string[]
  readonly podNetworks: readonly string[]
  readonly serviceNetworks: readonly string[]
  readonly services: readonly DnsService[]
}

/** By the name of the node; the Services are the same for all. */
const written = new Map<string, Promise<void>>()

export class KubeNode {
  readonly proxy: RealKubeProxy
  readonly #server: KubeServer
  readonly #cluster: NodeCluster
  readonly #added: DnsService[] = []
  #isChanged = false

  private constructor(parts: { proxy: RealKubeProxy; server: KubeServer; cluster: NodeCluster }) {
    this.proxy = parts.proxy
    this.#server = parts.server
    this.#cluster = parts.cluster
  }

  static async start(
    node: Netns,
    cluster: NodeCluster,
    choice: KubeProxyChoice,
  ): Promise<KubeNode> {
    const server = await KubeServer.shared(cluster)
    const writing = written.get(cluster.nodeName) ?? writeCluster(server, cluster)
    written.set(cluster.nodeName, writing)
    await writing
    await server.join(node)
    const { nodeName, podNetworks } = cluster
    const kubeconfig = server.kubeconfig('proxy')
    const settings = { ...choice, node, nodeName, podNetworks, kubeconfig }
    return new KubeNode({ proxy: await RealKubeProxy.start(settings), server, cluster })
  }

  /** Every Service of CoreDNS has these pods from now on. Returns when the API server has it; kube-proxy follows. */
  async setCoredns(endpoints: readonly DnsEndpoint[]): Promise<void> {
    this.#isChanged = true
    const services = this.#cluster.services.map((service) => ({ ...service, endpoints }))
    await this.#server.apply(services.flatMap(serviceObjects))
  }

  /** A new Service, as somebody else in the cluster makes it. Returns when the API server has it; kube-proxy follows. */
  async addService(service: DnsService): Promise<void> {
    this.#added.push(service)
    await this.#server.apply(serviceObjects(service))
  }

  /** kubectl as the cluster's admin, for what no method here does. */
  async kubectl(...args: readonly string[]): Promise<string> {
    return await this.#server.kubectl(args)
  }

  /** @returns the syncs of kube-proxy that failed */
  async remove(): Promise<readonly string[]> {
    await this.proxy.remove()
    const added = this.#added.flatMap(serviceObjects)
    if (added.length > 0) await this.#server.delete(added)
    if (this.#isChanged) await writeCluster(this.#server, this.#cluster)
    return this.proxy.syncFailures
  }
}

async function writeCluster(server: KubeServer, cluster: NodeCluster): Promise<void> {
  const { nodeName, nodeAddresses, podNetworks, services } = cluster
  await server.apply([nodeObject(nodeName, podNetworks), ...services.flatMap(serviceObjects)])
  const status = JSON.stringify(nodeStatus(nodeAddresses))
  const what = ['node', nodeName, '--subresource=status', '--type=merge']
  await server.kubectl(['patch', ...what, '-p', status])
}
