/**
 * nft and iptables of several Debian releases, to be run on one machine: what a node has, what the image of kube-proxy
 * brings and what the image of neardns brings are seldom of one age. Their packages are unpacked, never installed, into the
 * cache directory outside of the tree (debian/RELEASE), each program behind a script that starts it with the libraries of its release.
 *
 *   npm run cluster:nft -- [RELEASE]...     all of them unless named; needs root and mmdebstrap, which knows Debian's mirror
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, relative } from 'node:path'
import { debianDirectory, hasDebianPrograms } from '../../support/needs.ts'
import { type DebianRelease, debianReleases } from '../build/versions.ts'

/** Unpacks what is missing. @throws when the mirror has it not, or the machine lacks mmdebstrap */
export function unpackDebianPrograms(release: DebianRelease): void {
  if (hasDebianPrograms(release)) return
  const startedMs = performance.now()
  const final = debianDirectory(release)
  const unfinished = `${final}.${process.pid}.new`
  mkdirSync(join(final, '..'), { recursive: true })
  const flags = [
    '--mode=root',
    '--variant=extract',
    '--include=nftables,iptables',
    '--format=directory',
    // A mirror may be a snapshot of some weeks ago. What its age is worth for security is not asked here.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--quiet',
  ]
  try {
    execFileSync('mmdebstrap', [...flags, release, unfinished], { stdio: 'inherit' })
    writeScripts(unfinished, final)
    rmSync(final, { recursive: true, force: true })
    renameSync(unfinished, final)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  const version = execFileSync(join(final, 'bin', 'nft'), ['--version'], { encoding: 'utf8' })
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  console.log(`${release}: ${version.trim()} in ${seconds} s`)
}

/**
 * A program runs on the loader and the libraries of its own release, outside of any chroot: so it sees the lock of
 * iptables-legacy and the files of the machine as every other program does.
 */
function writeScripts(root: string, final: string): void {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const find = (what: RegExp): string[] =>
    paths.filter((path) => what.test(path)).map((path) => join(final, path))
  // In older releases the well-known name is a link to an absolute path, which is the machine's loader here.
  const isOwn = (path: string) => lstatSync(join(root, relative(final, path))).isFile()
  const loader = find(/^(usr\/)?lib(64)?\/([\w-]+\/)?ld-(linux-[\w-]+\.so\.\d+|[\d.]+\.so)$/).find(
    isOwn,
  )
  const libraries = new Set(
    find(/^(usr\/)?lib\/[\w-]+-linux-gnu\/[^/]+\.so[.\d]*$/).map((path) => join(path, '..')),
  )
  const [extensions] = find(/^usr\/lib\/[\w-]+\/xtables$/)
  if (loader === undefined || extensions === undefined) throw new Error(`${root} has no loader`)
  mkdirSync(join(root, 'bin'), { recursive: true })
  const programs = find(/^usr\/sbin\/(nft|ip6?tables-(nft|legacy)(-save|-restore)?)$/)
  for (const program of programs) {
    const script = join(root, 'bin', basename(program))
    const path = [...libraries].join(':')
    writeFileSync(
      script,
      `#!/bin/sh\nXTABLES_LIBDIR=${extensions} exec ${loader} --library-path ${path} ${program} "$@"\n`,
    )
    chmodSync(script, 0o755)
  }
}

if (import.meta.main) {
  const named = process.argv.slice(2)
  const wanted = debianReleases.filter((one) => named.length === 0 || named.includes(one))
  for (const release of wanted) {
    try {
      unpackDebianPrograms(release)
    } catch (error) {
      // The newest release is what the mirror makes of it; those that tests insist on say so themselves.
      console.log(`${release} cannot be had: ${error instanceof Error ? error.message : error}`)
    }
  }
}
