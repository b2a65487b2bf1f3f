/**
 * The cluster's objects: kubectl as cluster-admin, from the node's network. Never touches the node itself.
 */

import { join } from 'node:path'
import { kubernetesProgram } from '../support/needs.ts'
import type { Node } from './node.ts'
import type { Ran, RunOptions } from './run.ts'

export class Kubectl {
  readonly #node: Node

  constructor(node: Node) {
    this.#node = node
  }

  try(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const kubeconfig = join(this.#node.places.state, 'admin.kubeconfig')
    const whole = [kubernetesProgram('kubectl'), '--kubeconfig', kubeconfig, ...args]
    return this.#node.inNetwork(whole, options)
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, options)
    if (code === 0) return stdout
    throw new Error(`kubectl ${args.join(' ')}: exit ${code}\n${(stderr + stdout).trim()}`)
  }

  apply(yaml: string, namespace?: string): Promise<string> {
    const where = namespace === undefined ? [] : ['-n', namespace]
    return this.run([...where, 'apply', '-f', '-'], { stdin: yaml })
  }

  /** True when the roll-out is over within so many seconds. */
  async isRolledOut(what: string, seconds: number): Promise<boolean> {
    const args = ['-n', 'kube-system', 'rollout', 'status', what, `--timeout=${seconds}s`]
    const { code } = await this.try(args, { timeoutMs: (seconds + 10) * 1000 })
    return code === 0
  }

  async mustBeRolledOut(what: string, seconds: number): Promise<void> {
    const args = ['-n', 'kube-system', 'rollout', 'status', what, `--timeout=${seconds}s`]
    await this.run(args, { timeoutMs: (seconds + 10) * 1000 })
  }

  /** In the pod `client`. */
  inClient(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.try(['exec', '-i', 'client', '--', ...argv], options)
  }
}
