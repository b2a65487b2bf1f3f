/**
 * Writes what follows from the chart: the kustomize base (rendered by helm with the default values), the rendered parts of the overlays
 * (with the overlay's values.yaml), and the chart's values.schema.json. `--check` writes nothing and exits with 1 when a file is stale.
 * Comments stay; what only helm needs goes. Needs helm: `npm run manifests:tools`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartToolPath } from '../test/support/needs.ts'
import { valuesSchema } from './values-schema.ts'

const root = import.meta.dirname
const chart = join(root, 'chart')
/** What is rendered is for the newest Kubernetes; the chart says itself what an older one lacks. */
const kubeVersion = '1.37.2'

export interface GeneratedFile {
  /** Below manifests/. */
  readonly name: string
  readonly content: string
}

/** The files as they have to be. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    ...rendered('base', ['serviceaccount', 'service', 'configmap', 'daemonset']),
    ...overlays().flatMap(overlayFiles),
    ...ownFiles(),
  ]
}

/** What helm needs beside it to render: the schema, and copies of what helm cannot read outside of the chart. */
function ownFiles(): GeneratedFile[] {
  const copied = ['prometheusrule.yaml', 'dashboard.json']
    .filter((name) => existsSync(join(root, 'monitoring', name)))
    .map((name) => ({ name: `chart/files/${name}`, content: read(join('monitoring', name)) }))
  return [{ name: 'chart/values.schema.json', content: valuesSchema() }, ...copied]
}

/** @returns names of the files whose content on disk differs */
export function staleFiles(): readonly string[] {
  return generatedFiles()
    .filter(({ name, content }) => !existsSync(join(root, name)) || read(name) !== content)
    .map(({ name }) => name)
}

/** Overlays that have values for the chart. */
export function overlays(): readonly string[] {
  return readdirSync(join(root, 'overlays')).filter((name) =>
    existsSync(join(root, 'overlays', name, 'values.yaml')),
  )
}

/** All that helm makes of the chart, without hooks. @param values files of values */
export function helmTemplate(values: readonly string[], more: readonly string[] = []): string {
  const args = ['template', 'neardns', chart, '--namespace=kube-system', '--no-hooks']
  const files = values.map((file) => `--values=${file}`)
  return execFileSync(
    chartToolPath('helm'),
    [...args, `--kube-version=${kubeVersion}`, ...files, ...more],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
}

/** What the overlay's kustomization names and the chart can make. */
function overlayFiles(overlay: string): GeneratedFile[] {
  const directory = `overlays/${overlay}`
  const kustomization = read(join(directory, 'kustomization.yaml'))
  const isNamed = (file: string) => new RegExp(`\\b${file}$`, 'm').test(kustomization)
  const parts = ['configmap', 'localredirectpolicy'].filter((part) => isNamed(`${part}.yaml`))
  const files = rendered(directory, parts)
  if (!isNamed('start-settings.yaml')) return files
  return [...files, startSettings(directory)]
}

/** The mark on the pods that makes them anew when something changes that they read at their start only. */
function startSettings(directory: string): GeneratedFile {
  const values = join(root, directory, 'values.yaml')
  const text = helmTemplate([values], ['--show-only', 'templates/daemonset.yaml'])
  const mark = /^ +(neardns\/start-settings: "[0-9a-f]+")$/m.exec(text)?.[1]
  if (mark === undefined) throw new Error('the DaemonSet has no annotation neardns/start-settings')
  const content = `${markOf(false)}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: neardns
  namespace: kube-system
spec:
  template:
    metadata:
      annotations:
        # Makes the pods anew, because they read some of this configuration at their start only.
        ${mark}
`
  return { name: `${directory}/start-settings.yaml`, content }
}

function rendered(directory: string, parts: readonly string[]): GeneratedFile[] {
  const values = join(root, directory, 'values.yaml')
  return parts.map((part) => {
    const only = ['--show-only', `templates/${part}.yaml`]
    const text = helmTemplate(existsSync(values) ? [values] : [], only)
    return { name: `${directory}/${part}.yaml`, content: plain(text, directory === 'base') }
  })
}

/** Without what only helm needs, and with a word on where it comes from. */
function plain(text: string, isBase: boolean): string {
  const lines = text
    .split('\n')
    .filter((line) => line !== '---' && !line.startsWith('# Source: '))
    .filter((line) => !/^\s*(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /.test(line))
    .map((line) => line.trimEnd())
  return `${markOf(isBase)}\n${lines.join('\n').trim()}\n`
}

function markOf(isBase: boolean): string {
  const from = isBase ? 'manifests/chart' : 'manifests/chart with values.yaml of this directory'
  return `# Rendered from ${from} (\`npm run manifests\`).`
}

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

function main(argv: readonly string[]): void {
  if (argv.includes('--check')) {
    for (const name of staleFiles()) {
      process.stderr.write(`manifests/${name} is stale; run: npm run manifests\n`)
      process.exitCode = 1
    }
    return
  }
  for (const { name, content } of ownFiles()) writeFileSync(join(root, name), content)
  for (const { name, content } of generatedFiles()) writeFileSync(join(root, name), content)
}

if (import.meta.main) main(process.argv.slice(2))
