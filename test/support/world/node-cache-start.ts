/**
 * neardns in the place of node-cache on a node of the world: its arguments, its files at paths of their own, the environment that the kubelet
 * sets. What it is started with is what a manifest has but for the paths.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtProgram } from '../built-program.ts'
import { Child } from '../process.ts'
import type { Netns } from './netns.ts'

/** Addresses that kube-dns and its upstream Service have in the world. */
export const serviceEnvironment = {
  KUBE_DNS_SERVICE_HOST: '10.96.0.10',
  KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.0.11',
}

/** In the manner of the manifests: one block for the cluster, one for the rest. */
export const template = `cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
    }
.:53 {
    errors
    cache 30
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
    }
`

export class NodeCacheFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'neardns-node-cache-'))
  readonly conf = join(this.path, 'Corefile')
  readonly base = join(this.path, 'Corefile.base')
  readonly kubeDns = join(this.path, 'kube-dns')
  readonly pidFile = join(this.path, 'node-cache.pid')

  constructor() {
    mkdirSync(this.kubeDns)
  }

  /** A ConfigMap volume cannot be written; root is told no only by a volume, so the folder stands for it in name alone. */
  put(name: string, text: string, isReadOnly = false): void {
    const path = join(this.path, name)
    writeFileSync(path, text)
    if (isReadOnly) chmodSync(path, 0o444)
  }

  /** Flags for the files of this folder. */
  get flags(): string[] {
    return ['-conf', this.conf, '-basecorefile', this.base, '-kubednscm', this.kubeDns]
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Starts it and waits for nothing. @param program becomes the rest of the command, as a shell that joins a cgroup does */
export function spawnNodeCache(
  node: Netns,
  args: readonly string[],
  env: Readonly<Record<string, string>> = serviceEnvironment,
  program: readonly string[] = [],
): Child {
  // Not `ip netns exec`, in which no cgroup is to be seen.
  const enter = ['nsenter', `--net=/run/netns/${node.name}`]
  const [command = '', ...rest] = [...program, ...enter, process.execPath, builtProgram(), ...args]
  return new Child(command, rest, { env })
}

/** Starts it and waits until it serves. */
export async function startNodeCache(
  node: Netns,
  args: readonly string[],
  env: Readonly<Record<string, string>> = serviceEnvironment,
): Promise<Child> {
  const child = new Child(process.execPath, [builtProgram(), ...args], { netns: node.name, env })
  try {
    await child.line((line) => line.includes('"msg":"ready"'), 30_000)
    return child
  } catch (error) {
    await child.stop('SIGKILL')
    throw error
  }
}
