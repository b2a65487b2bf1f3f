/**
 * The project's Helm chart on the test cluster, by real helm. Never renders anything itself.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../support/needs.ts'
import type { Cluster } from './cluster.ts'
import { manifestDirectory } from './deployment.ts'

export const chartDirectory = join(manifestDirectory, 'chart')

/** Path of helm: NEARDNS_HELM, or where .ci/run builds it. */
export function helmPath(): string | undefined {
  const given = process.env['NEARDNS_HELM']
  if (given !== undefined) return existsSync(given) ? given : undefined
  const built = join(cacheDirectory(), 'helm')
  if (!existsSync(built)) return undefined
  const paths = readdirSync(built).map((version) => join(built, version, 'helm'))
  return paths.find((path) => existsSync(path))
}

export function hasChart(): boolean {
  return helmPath() !== undefined && existsSync(join(chartDirectory, 'Chart.yaml'))
}

export async function helm(cluster: Cluster, args: readonly string[]): Promise<string> {
  const path = helmPath()
  if (path === undefined) throw new Error('helm is missing (NEARDNS_HELM=/path/to/helm)')
  const kubeconfig = join(cluster.node.places.state, 'admin.kubeconfig')
  const whole = [path, '--kubeconfig', kubeconfig, '-n', 'kube-system', ...args]
  const { code, stdout, stderr } = await cluster.node.inNetwork(whole)
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: exit ${code}\n${stderr}${stdout}`)
  return stdout
}

export async function installChart(
  cluster: Cluster,
  settings: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  const args = ['upgrade', '--install', 'neardns', chartDirectory, ...localImage, ...settings]
  say(`$ helm ${args.join(' ')}`)
  say((await helm(cluster, args)).trimEnd())
}

/** The image that images.ts made has no registry. */
export const localImage = ['--set', 'image.repository=neardns', '--set', 'image.tag=0.1.0']
