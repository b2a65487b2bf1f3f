/**
 * Brings what renders and checks the manifests: helm, kubeconform and kustomize built from their Go modules, and the JSON Schemas of
 * the oldest and the newest Kubernetes, made from the OpenAPI definition that its Go module carries. `node test/cluster/build/chart-tools.ts`;
 * what is there is not built again. Starts nothing and leaves everything in the cache directory.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type ChartTool,
  chartToolPath,
  chartToolVersions,
  goPath,
  schemaDirectory,
  schemaVersions,
} from '../../support/needs.ts'
import { kubeconformSchemas } from '../../support/openapi-schemas.ts'

const packages: Readonly<Record<ChartTool, string>> = {
  helm: 'helm.sh/helm/v3/cmd/helm',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5',
}

if (import.meta.main) {
  for (const name of Object.keys(packages) as ChartTool[]) buildTool(name)
  for (const version of schemaVersions) makeSchemas(version)
}

function buildTool(name: ChartTool): void {
  if (existsSync(chartToolPath(name))) return
  const directory = dirname(chartToolPath(name))
  mkdirSync(directory, { recursive: true })
  go(['install', '-trimpath', '-ldflags=-s -w', `${packages[name]}@${chartToolVersions[name]}`], {
    GOBIN: directory,
    CGO_ENABLED: '0',
  })
  console.log(`built ${name} ${chartToolVersions[name]}`)
}

function makeSchemas(version: (typeof schemaVersions)[number]): void {
  const directory = schemaDirectory(version)
  if (existsSync(directory)) return
  const downloaded = go(['mod', 'download', '-json', `k8s.io/kubernetes@${version}`], {})
  const { Dir: source } = JSON.parse(downloaded) as { Dir: string }
  const definition = readFileSync(join(source, 'api/openapi-spec/swagger.json'), 'utf8')
  const unfinished = `${directory}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  for (const [name, schema] of kubeconformSchemas(JSON.parse(definition))) {
    writeFileSync(join(unfinished, name), JSON.stringify(schema))
  }
  renameSync(unfinished, directory)
  console.log(`made the schemas of Kubernetes ${version}`)
}

function go(args: readonly string[], environment: Readonly<Record<string, string>>): string {
  const program = goPath()
  if (program === undefined) throw new Error('go is missing: install Go 1.26 or newer')
  return execFileSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
