/**
 * The images of the test cluster, made without a registry and kept outside of the tree. neardns's own comes from the project's Dockerfile,
 * and is made anew when a file that the Dockerfile gets has changed.
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { corednsPath } from '../../support/needs.ts'
import { clusterCache, imageDirectory, projectDirectory, shellDirectory } from '../layout.ts'
import { must } from '../run.ts'

/** The first build of an image that needs packages takes minutes. */
const timeoutMs = 1_200_000
/** How many builds of neardns are kept. */
const buildsKept = 3

type Say = (text: string) => void

/** Makes what is missing. @returns the archives, all of them needed by the cluster */
export async function makeImages(say: Say): Promise<string[]> {
  for (const name of ['pause', 'busybox', 'tools'] as const) await make(name, [], say)
  await make('coredns', [mustHaveCoredns()], say)
  await makeNeardns(say)
  await makeNft(say)
  return imageArchives()
}

/** What the cluster imports. */
export function imageArchives(): string[] {
  return [
    ...['pause', 'busybox', 'tools', 'coredns'].map((name) => join(imageDirectory, `${name}.tar`)),
    neardnsArchive(),
  ]
}

/** True when no image would have to be made. */
export function areImagesMade(): boolean {
  return [...imageArchives(), imageNft()].every((path) => existsSync(path))
}

/** The nft of the image's Debian, runnable on any node. */
export function imageNft(): string {
  return join(clusterCache, 'nft-of-image', 'nft')
}

function neardnsArchive(): string {
  return join(imageDirectory, `neardns-${contextHash()}.tar`)
}

async function make(name: string, sources: readonly string[], say: Say): Promise<void> {
  const archive = join(imageDirectory, `${name}.tar`)
  if (existsSync(archive)) return
  say(`making the image ${name}`)
  await shell([name, archive, ...sources])
}

async function makeNeardns(say: Say): Promise<void> {
  const archive = neardnsArchive()
  if (existsSync(archive)) return
  say('making the image neardns from the Dockerfile (minutes the first time)')
  const context = mkdtempSync(join(tmpdir(), 'neardns-context-'))
  try {
    for (const path of [...contextPaths(), 'Dockerfile', '.dockerignore']) {
      cpSync(join(projectDirectory, path), join(context, path), { recursive: true })
    }
    await shell(['neardns', archive, context])
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
  removeOldBuilds()
}

async function makeNft(say: Say): Promise<void> {
  if (existsSync(imageNft())) return
  say("taking nft out of neardns's image")
  await shell(['nft', join(clusterCache, 'nft-of-image')])
}

async function shell(args: readonly string[]): Promise<void> {
  mkdirSync(imageDirectory, { recursive: true })
  await must([join(shellDirectory, 'images.sh'), ...args], {
    timeoutMs,
    env: { CLUSTER_CACHE: clusterCache },
  })
}

function removeOldBuilds(): void {
  const builds = readdirSync(imageDirectory)
    .filter((file) => file.startsWith('neardns-') && file.endsWith('.tar'))
    .map((file) => join(imageDirectory, file))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  for (const old of builds.slice(buildsKept)) rmSync(old)
}

/** The state of everything that the Dockerfile gets, committed or not. */
function contextHash(): string {
  const hash = createHash('sha256')
  for (const path of ['Dockerfile', ...contextPaths().flatMap(filesBelow)].toSorted()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(projectDirectory, path)))
      .update('\0')
  }
  return hash.digest('hex').slice(0, 16)
}

/** .dockerignore keeps everything out but these. */
function contextPaths(): string[] {
  return readFileSync(join(projectDirectory, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
}

function filesBelow(path: string): string[] {
  if (statSync(join(projectDirectory, path)).isFile()) return [path]
  return readdirSync(join(projectDirectory, path), { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => statSync(join(projectDirectory, name)).isFile())
}

function mustHaveCoredns(): string {
  const path = corednsPath()
  if (path === undefined) throw new Error('CoreDNS is missing: see npm test for what brings it')
  return path
}
