/**
 * A real kube-apiserver on a real etcd in a network namespace of their own, started once per test process: the nodes of
 * all tests are joined to it by a link each. It ends with the process. What nodes share are its objects: a test
 * that changes some puts them back.
 */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubernetesProgram } from '../needs.ts'
import { Child, mustRun, runToEnd, until } from '../process.ts'
import type { KubernetesObject } from './kube-objects.ts'
import { Netns } from './netns.ts'

/** What it calls itself: the cluster's first family is IPv4. */
const advertised = '10.79.0.1'
/** Where nodes reach it: a node may have no IPv4. */
const address = 'fd79::1'
/**
 * Said, or a bridge has the lowest of its ports' and changes it when that port goes: the node that came last would go on sending
 * to the old one for up to 50 s when the kernel takes the node before it away only now.
 */
const ownMac = '02:00:00:00:00:79'
/** Who may do what is RBAC's to say: kube-proxy's rights are those that every cluster gives it. */
const tokens = 'admin,admin,1,system:masters\nproxy,system:kube-proxy,2\n'
export type KubeUser = 'admin' | 'proxy'

export interface KubeServerSettings {
  readonly serviceNetworks: readonly string[]
}

let shared: Promise<KubeServer> | undefined

export class KubeServer {
  readonly #netns: Netns
  readonly #directory: string
  readonly #children: Child[] = []
  #nodes = 0

  private constructor(netns: Netns, directory: string) {
    this.#netns = netns
    this.#directory = directory
  }

  /** The one of this process. */
  static async shared(settings: KubeServerSettings): Promise<KubeServer> {
    shared ??= KubeServer.#start(settings)
    return await shared
  }

  static async #start({ serviceNetworks }: KubeServerSettings): Promise<KubeServer> {
    const netns = await Netns.create('kube')
    const server = new KubeServer(netns, mkdtempSync(join(tmpdir(), 'neardns-kube-')))
    // Behind the handler that kills the children, which was registered before this one.
    await netns.ip('link', 'add', 'nodes', 'address', ownMac, 'type', 'bridge')
    await netns.ip('addr', 'add', `${advertised}/16`, 'dev', 'nodes')
    await netns.ip('addr', 'add', `${address}/64`, 'dev', 'nodes', 'nodad')
    await netns.ip('link', 'set', 'nodes', 'up')
    server.#writeFiles()
    server.#run('etcd', [
      `--data-dir=${server.#path('etcd')}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ])
    server.#run('kube-apiserver', [
      '--etcd-servers=http://127.0.0.1:2379',
      `--cert-dir=${server.#path('certificates')}`,
      `--token-auth-file=${server.#path('tokens')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${server.#path('accounts.pub')}`,
      `--service-account-signing-key-file=${server.#path('accounts.key')}`,
      `--service-cluster-ip-range=${serviceNetworks.join(',')}`,
      `--advertise-address=${advertised}`,
    ])
    process.on('exit', () => server.#leaveNothing())
    await server.#untilReady()
    return server
  }

  /** Gives the node a link to the API server. It goes away with the node. */
  async join(node: Netns): Promise<void> {
    this.#nodes += 1
    const [name, number] = [`node${this.#nodes}`, this.#nodes]
    await node.ip(
      'link',
      'add',
      'api0',
      'type',
      'veth',
      'peer',
      'name',
      name,
      'netns',
      this.#netns.name,
    )
    await this.#netns.ip('link', 'set', name, 'master', 'nodes', 'up')
    const own = `fd79::1:${number.toString(16)}/64`
    await node.ip('addr', 'add', own, 'dev', 'api0', 'nodad')
    await node.ip('link', 'set', 'api0', 'up')
  }

  /** Path of a file with which a program of a joined node speaks to the server. */
  kubeconfig(user: KubeUser): string {
    return this.#path(`${user}.kubeconfig`)
  }

  /** kubectl as the cluster's admin; it must succeed. */
  async kubectl(args: readonly string[], stdin = ''): Promise<string> {
    return await mustRun(kubernetesProgram('kubectl'), [...this.#kubectlFlags(), ...args], {
      netns: this.#netns.name,
      stdin,
    })
  }

  /** Starts a program in the server's network. */
  beside(command: string, args: readonly string[]): Child {
    return new Child(command, args, { netns: this.#netns.name })
  }

  /** Where programs of its network reach it. */
  get url(): string {
    return `https://${advertised}:6443`
  }

  /** Path of the certificate by which it is known. */
  get certificate(): string {
    return this.#path('certificates/apiserver.crt')
  }

  /** Makes the objects what they are here, fields that are not named left alone. */
  async apply(objects: readonly KubernetesObject[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    const how = ['apply', '--server-side', '--force-conflicts', '--validate=false']
    await this.kubectl([...how, '-f', '-'], list)
  }

  async delete(objects: readonly KubernetesObject[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await this.kubectl(['delete', '--ignore-not-found', '--wait=true', '-f', '-'], list)
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  #kubectlFlags(): string[] {
    return ['--kubeconfig', this.kubeconfig('admin'), '--cache-dir', this.#path('cache')]
  }

  #writeFiles(): void {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    writeFileSync(this.#path('accounts.key'), privateKey)
    writeFileSync(this.#path('accounts.pub'), publicKey)
    writeFileSync(this.#path('tokens'), tokens)
    for (const user of ['admin', 'proxy'] as const) {
      writeFileSync(this.kubeconfig(user), kubeconfigText(user))
    }
  }

  #run(name: string, args: readonly string[]): void {
    const child = new Child(kubernetesProgram(name), args, { netns: this.#netns.name })
    // It lives as long as the process, and keeps it from ending as little as from being judged.
    child.process.unref()
    for (const stream of child.process.stdio) if (stream instanceof Socket) stream.unref()
    this.#children.push(child)
  }

  async #untilReady(): Promise<void> {
    const ask = ['get', '--raw', '/readyz']
    const isReady = async () => {
      const dead = this.#children.find(({ running }) => !running)
      if (dead !== undefined) throw new Error(`the API server ended: ${dead.tail()}`)
      const program = kubernetesProgram('kubectl')
      const asked = await runToEnd(program, [...this.#kubectlFlags(), ...ask], {
        netns: this.#netns.name,
      })
      return asked.code === 0
    }
    await until('the API server is ready', isReady, { timeoutMs: 60_000, everyMs: 200 })
  }

  #leaveNothing(): void {
    for (const child of this.#children) child.process.kill('SIGKILL')
    try {
      execFileSync('ip', ['netns', 'del', this.#netns.name], { stdio: 'ignore' })
    } catch {
      // The next run sweeps up (netns.ts).
    }
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

function kubeconfigText(user: KubeUser): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'tests',
        cluster: { server: `https://[${address}]:6443`, 'insecure-skip-tls-verify': true },
      },
    ],
    users: [{ name: user, user: { token: user } }],
    contexts: [{ name: 'tests', context: { cluster: 'tests', user } }],
    'current-context': 'tests',
  })
}
