/**
 * A Go module from which the programs of one Kubernetes release are built. k8s.io/kubernetes replaces its staging modules
 * by folders of its own repository, which a module that requires it does not see; here they are replaced by their
 * published versions, v0.X.Y beside v1.X.Y, and everything else is required as k8s.io/kubernetes requires it.
 * Owns go.mod and go.sum of that folder. Never builds.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Writes go.mod and go.sum for Kubernetes `version` into `folder`, from the published module. */
export function makeGoModule(go: string, version: string, folder: string): void {
  const source = moduleFolder(go, `k8s.io/kubernetes@v${version}`)
  mkdirSync(folder, { recursive: true })
  const text = goModText(readFileSync(join(source, 'go.mod'), 'utf8'), version)
  writeFileSync(join(folder, 'go.mod'), text)
  const sums = join(folder, 'go.sum')
  copyFileSync(join(source, 'go.sum'), sums)
  // Modules are kept read-only; the build adds the checksums of the staging modules here.
  chmodSync(sums, 0o644)
}

/** @param published the go.mod of k8s.io/kubernetes itself */
export function goModText(published: string, version: string): string {
  const staging = `v0.${version.slice(version.indexOf('.') + 1)}`
  const goVersion = /^go (\S+)$/m.exec(published)?.[1] ?? '1.26.0'
  const blocks = [...published.matchAll(/^require \(\n([\s\S]*?)^\)$/gm)]
  const required = blocks.map(([, lines = '']) =>
    lines.replaceAll(/ v0\.0\.0(?=\s)/g, ` ${staging}`),
  )
  const replaced = [...published.matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\/\S+$/gm)]
  const replacements = replaced.map(([, name = '']) => `\t${name} => ${name} ${staging}\n`)
  return `module neardns.test/kubernetes

go ${goVersion}

require (
\tk8s.io/kubernetes v${version}
${required.join('')})

replace (
${replacements.join('')})
`
}

/** Where the downloaded module lies. */
function moduleFolder(go: string, module: string): string {
  const json = execFileSync(go, ['mod', 'download', '-json', module], {
    // Outside of any module of ours.
    cwd: tmpdir(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const folder: unknown = JSON.parse(json).Dir
  if (typeof folder !== 'string') throw new Error(`go mod download ${module}: ${json}`)
  return folder
}
