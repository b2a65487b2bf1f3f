/**
 * The version of a release, when the tag, package.json, the lock file, the chart and the kustomization all name the same one. Fails and
 * says what differs, so that no image goes out under a name that its own files contradict.
 *
 *   node scripts/version.ts v0.1.0
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What each file calls the version; undefined where it names none. */
export type Claims = Readonly<Record<string, string | undefined>>

/** @returns one line for each claim that is not the tag's; the version is the tag without its `v` */
export function contradictions(tag: string, claims: Claims): string[] {
  if (!/^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(tag)) return [`${tag} is no tag of a version`]
  return Object.entries(claims)
    .filter(([, version]) => version !== tag.slice(1))
    .map(([where, version]) => `${where} says ${version ?? 'nothing'}, the tag ${tag}`)
}

export function claimsOf(root: string): Claims {
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const versionIn = (path: string) => {
    const { version } = JSON.parse(read(path)) as { version?: string }
    return version
  }
  const kustomizations = ['manifests/kustomization.yaml', 'manifests/base/kustomization.yaml']
    .filter((path) => existsSync(join(root, path)))
    .map(read)
    .join('\n')
  const chart = 'manifests/chart/Chart.yaml'
  return {
    'package.json': versionIn('package.json'),
    'package-lock.json': versionIn('package-lock.json'),
    'the kustomization of manifests': /^ +newTag: (\S+)$/m.exec(kustomizations)?.[1],
    ...(existsSync(join(root, chart)) && {
      [chart]: /^version: (\S+)$/m.exec(read(chart))?.[1],
      [`${chart} (appVersion)`]: /^appVersion: "?([^\s"]+)/m.exec(read(chart))?.[1],
    }),
  }
}

function main([tag = '']: readonly string[]): void {
  const wrong = contradictions(tag, claimsOf(join(import.meta.dirname, '..')))
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  process.stdout.write(`${tag.slice(1)}\n`)
}

if (import.meta.main) main(process.argv.slice(2))
