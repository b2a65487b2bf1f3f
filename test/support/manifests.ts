/**
 * The manifests as a cluster would get them: files, what kustomize builds, what helm renders; and the configuration that the daemon makes
 * of a rendered DaemonSet and ConfigMap. Never talks to a cluster.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { parseRunArgs } from '../../src/cli/command-line/run-arguments.ts'
import { type ConfigResult, loadConfig } from '../../src/config/load.ts'
import { chartToolPath, schemaDirectory, type schemaVersions } from './needs.ts'

export const manifestsRoot = join(import.meta.dirname, '../../manifests')

export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly env: readonly { readonly name: string }[]
  readonly securityContext: {
    readonly runAsUser: number
    readonly allowPrivilegeEscalation: boolean
    readonly readOnlyRootFilesystem: boolean
    readonly capabilities: { readonly drop: readonly string[]; readonly add: readonly string[] }
  }
  readonly resources: { readonly limits: { readonly memory: string } }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number; readonly host?: string }
}

export interface DaemonSet {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly updateStrategy: { readonly rollingUpdate: unknown }
    readonly minReadySeconds: number
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>
        readonly annotations?: Readonly<Record<string, string>>
      }
      readonly spec: {
        readonly hostNetwork: boolean
        readonly dnsPolicy: string
        readonly enableServiceLinks: boolean
        readonly terminationGracePeriodSeconds: number
        readonly securityContext: Readonly<Record<string, unknown>>
        readonly initContainers?: readonly Container[]
        readonly containers: readonly [Container]
        readonly volumes: readonly {
          readonly name: string
          readonly configMap?: { readonly name: string }
          readonly secret?: { readonly secretName: string }
        }[]
      }
    }
  }
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export function documentsOf(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      const [mistake] = document.errors
      if (mistake !== undefined) throw mistake
      return document.toJS() as Manifest | null
    })
    .filter((document) => document !== null)
}

/** @param file below manifests/ */
export function documentsIn(file: string): Manifest[] {
  return documentsOf(readFileSync(join(manifestsRoot, file), 'utf8'))
}

export function kustomizeBuild(directory: string): string {
  return execFileSync(chartToolPath('kustomize'), ['build', directory], { encoding: 'utf8' })
}

export interface HelmRun {
  readonly ok: boolean
  readonly stdout: string
  readonly stderr: string
}

/** `helm template`, hooks included. @param values as a values file would have them */
export function helmRender(values: unknown, more: readonly string[] = []): HelmRun {
  const args = ['template', 'neardns', join(manifestsRoot, 'chart'), '--namespace', 'kube-system']
  return helm([...args, '--kube-version', '1.37.2', ...more], values)
}

/** Any helm command, with values from a file. */
export function helm(args: readonly string[], values: unknown = {}): HelmRun {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-helm-'))
  try {
    const file = join(directory, 'values.json')
    writeFileSync(file, JSON.stringify(values))
    // Nothing of the user's: no cache, no repositories, no cluster.
    const env = { ...process.env, HOME: directory, XDG_CACHE_HOME: directory, KUBECONFIG: '' }
    const { status, stdout, stderr } = spawnSync(
      chartToolPath('helm'),
      [...args, '--values', file],
      { encoding: 'utf8', env },
    )
    return { ok: status === 0, stdout, stderr }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What kubeconform complains about; empty when everything is a valid object of that release. Kinds of others are left out. */
export function kubeconform(text: string, version: (typeof schemaVersions)[number]): string {
  const location = join(schemaDirectory(version), '{{ .ResourceKind }}{{ .KindSuffix }}.json')
  const others =
    'CiliumLocalRedirectPolicy,NodeReadinessRule,ServiceMonitor,PodMonitor,PrometheusRule'
  const { status, stdout, stderr } = spawnSync(
    chartToolPath('kubeconform'),
    ['-strict', '-skip', others, '-schema-location', location, '-'],
    { encoding: 'utf8', input: text },
  )
  return status === 0 ? '' : stdout + stderr
}

export function daemonSetOf(documents: readonly Manifest[]): DaemonSet {
  return find(documents, 'DaemonSet') as unknown as DaemonSet
}

export function find(documents: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = documents.find(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  )
  if (found === undefined) throw new Error(`there is no ${kind} ${name ?? ''}`)
  return found
}

export function configTextOf(documents: readonly Manifest[], name = 'neardns'): string {
  const map = find(documents, 'ConfigMap', name) as unknown as {
    data: Readonly<Record<string, string>>
  }
  return map.data['neardns.yaml'] ?? ''
}

/** The configuration that the daemon gets, with the container's variables as the kubelet would expand them. */
export function configOf(
  documents: readonly Manifest[],
  variables: Readonly<Record<string, string>>,
): ConfigResult {
  const [container] = daemonSetOf(documents).spec.template.spec.containers
  const expanded = (container.args ?? []).map((arg) =>
    arg.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => variables[name] ?? whole),
  )
  if (expanded[0] !== 'run') throw new Error(`expected run, got ${expanded[0]}`)
  const run = parseRunArgs(expanded.slice(1))
  if (!run.ok) throw new Error(run.why)
  const mounted = `${container.volumeMounts[0]?.mountPath}/neardns.yaml`
  if (run.args.configFile !== mounted) throw new Error(`--config is not ${mounted}`)
  return loadConfig({
    file: { name: mounted, text: configTextOf(documents) },
    overrides: run.args.overrides,
  })
}
