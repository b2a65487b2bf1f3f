/** A node with routes to each pod, as namespaces: each pod has a veth of its own, whose host's end has the node's address. */
import { Netns } from './netns.ts'

export class RoutedPods {
  readonly node: Netns
  private readonly pods = new Map<number, Netns>()

  private constructor(node: Netns) {
    this.node = node
  }

  static async create(): Promise<RoutedPods> {
    return new RoutedPods(await Netns.create('node'))
  }

  /** @param number 1 to 254; its interface on the node is `veth` and the number, its node's addresses 10.77.number.1 and fd77:number::1 */
  async add(number: number): Promise<Netns> {
    const { node } = this
    const pod = await Netns.create(`pod${number}`)
    this.pods.set(number, pod)
    const host = `veth${number}`
    await node.ip('link', 'add', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
    await node.ip('addr', 'add', `10.77.${number}.1/24`, 'dev', host)
    await node.ip('addr', 'add', `fd77:${number}::1/64`, 'dev', host, 'nodad')
    await node.ip('link', 'set', host, 'up')
    await pod.ip('addr', 'add', `10.77.${number}.2/24`, 'dev', 'eth0')
    await pod.ip('addr', 'add', `fd77:${number}::2/64`, 'dev', 'eth0', 'nodad')
    await pod.ip('link', 'set', 'eth0', 'up')
    await pod.ip('route', 'add', 'default', 'via', `10.77.${number}.1`)
    await pod.ip('-6', 'route', 'add', 'default', 'via', `fd77:${number}::1`)
    return pod
  }

  async take(number: number): Promise<void> {
    const pod = this.pods.get(number)
    this.pods.delete(number)
    await pod?.remove()
  }

  async remove(): Promise<void> {
    for (const number of this.pods.keys()) await this.take(number)
    await this.node.remove()
  }
}
