/**
 * Makes what a machine lacks for the test cluster, but for Debian packages, which are only named: programs of Kubernetes, CoreDNS, images.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory, corednsPath, corednsVersion, goPath, howToGet } from '../support/needs.ts'
import { makeImages } from './build/images.ts'
import { areKubernetesProgramsBuilt, missingPackages } from './build/requirements.ts'

/** @throws with the command that brings what this one may not bring itself */
export async function prepareMachine(say: (text: string) => void): Promise<void> {
  const root = howToGet('root')
  if (root !== undefined) throw new Error(`root is needed: ${root}`)
  const packages = missingPackages()
  if (packages.length > 0) {
    const command = `apt-get install --no-install-recommends ${packages.join(' ')}`
    throw new Error(`programs are missing: sudo ${command}`)
  }
  const netns = howToGet('netns')
  if (netns !== undefined) throw new Error(`network namespaces cannot be made here: ${netns}`)
  if (!areKubernetesProgramsBuilt()) {
    say('building Kubernetes (12 minutes the first time on two cores)')
    const build = join(import.meta.dirname, 'build/build.ts')
    execFileSync(process.execPath, [build, 'node'], { stdio: 'inherit' })
  }
  if (corednsPath() === undefined) buildCoredns(say)
  await makeImages(say)
}

function buildCoredns(say: (text: string) => void): void {
  const go = goPath()
  const how = howToGet('go')
  if (go === undefined) throw new Error(`Go is missing: ${how}`)
  say('building CoreDNS')
  const folder = join(cacheDirectory(), 'coredns', corednsVersion)
  mkdirSync(folder, { recursive: true })
  execFileSync(go, ['install', `github.com/coredns/coredns@${corednsVersion}`], {
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
    stdio: 'inherit',
  })
}
