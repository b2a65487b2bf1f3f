/**
 * The registry of everything a test may need that `npm ci` does not bring: programs, rights, kernel features.
 * A test file names its needs; a machine without them skips the tests and says at the end what would bring them.
 * With NEARDNS_TEST_REQUIRE_ALL=1 (set by .ci/run) a missing need is a failed test, so CI cannot go green by
 * skipping. Never installs anything.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Test } from 'uvu'

/** The CoreDNS that the tests are written against; `.ci/run` builds this one and the older. */
export const corednsVersion = 'v1.14.7'
/** One that clusters still run (Kubernetes 1.31 and 1.32 came with it), where the two are to be compared. */
export const corednsOlderVersion = 'v1.11.3'
/** Checks workflow files; `.ci/run` builds it. */
export const actionlintVersion = 'v1.7.12'

interface Requirement {
  readonly isThere: () => boolean
  /** One command that brings it. */
  readonly how: string
}

const requirements = {
  coredns: coredns(corednsVersion, 'NEARDNS_COREDNS'),
  'coredns-older': coredns(corednsOlderVersion, 'NEARDNS_COREDNS_OLDER'),
  dig: program('dig', 'bind9-dnsutils'),
  kdig: program('kdig', 'knot-dnsutils'),
  ip: program('ip', 'iproute2'),
  iptables: program('iptables', 'iptables'),
  nft: program('nft', 'nftables'),
  conntrack: program('conntrack', 'conntrack'),
  setpriv: program('setpriv', 'util-linux'),
  tcpdump: program('tcpdump', 'tcpdump'),
  unbound: program('unbound', 'unbound'),
  dnsdist: program('dnsdist', 'dnsdist'),
  dnsmasq: program('dnsmasq', 'dnsmasq-base'),
  // For long runs only; .ci/run does not bring it.
  dnsperf: program('dnsperf', 'dnsperf'),
  'pdns-recursor': program('pdns_recursor', 'pdns-recursor'),
  'knot-resolver': program('kresd', 'knot-resolver'),
  gcc: program('gcc', 'gcc libc6-dev'),
  shellcheck: program('shellcheck', 'shellcheck'),
  actionlint: {
    isThere: () => existsSync(actionlintPath()),
    how: `GOBIN=${dirname(actionlintPath())} go install github.com/rhysd/actionlint/cmd/actionlint@${actionlintVersion}`,
  },
  'musl-gcc': program('musl-gcc', 'musl-tools'),
  go: {
    isThere: () => goPath() !== undefined,
    how: 'install Go 1.24 or newer so that `go` is in PATH or /usr/local/go/bin',
  },
  java: program('javac', 'default-jdk-headless'),
  'c-ares': {
    isThere: () => existsSync('/usr/include/ares.h'),
    how: 'sudo apt-get install --no-install-recommends libc-ares-dev',
  },
  root: {
    isThere: () => process.getuid?.() === 0,
    how: 'sudo npm test (root makes network namespaces and raw sockets)',
  },
  netns: { isThere: canMakeNetns, how: 'sudo npm test, with iproute2 installed' },
} satisfies Record<string, Requirement>

export type Need = keyof typeof requirements

export interface SkippedNeed {
  readonly need: Need
  readonly how: string
}

const known = new Map<Need, boolean>()
const skipped = new Set<Need>()

/** The part of a uvu suite that a test file uses. */
export interface NeedySuite<T> {
  (name: string, test: (context: T) => Promise<void> | void): void
  before(hook: (context: T) => Promise<void> | void): void
  after(hook: (context: T) => Promise<void> | void): void
  run(): void
}

/**
 * Wraps a suite whose every test and hook needs all of `wanted`. Missing: the tests are skipped and the
 * hooks do not run; or, where everything is required, each test fails and names what is missing.
 */
export function needing<T>(suite: Test<T>, ...wanted: readonly Need[]): NeedySuite<T> {
  const missing = missingOf(wanted)
  const run = () => suite.run()
  if (missing.length === 0) {
    const test = (name: string, body: (context: T) => Promise<void> | void) => suite(name, body)
    return Object.assign(test, {
      before: (hook: (context: T) => Promise<void> | void) => suite.before(hook),
      after: (hook: (context: T) => Promise<void> | void) => suite.after(hook),
      run,
    })
  }
  const hooks = { before: () => undefined, after: () => undefined, run }
  if (process.env['NEARDNS_TEST_REQUIRE_ALL'] !== '1') {
    for (const need of missing) skipped.add(need)
    return Object.assign((name: string) => suite.skip(name), hooks)
  }
  const complaint = missing
    .map((need) => `${need} is missing: ${requirements[need].how}`)
    .join('; ')
  const fail = (name: string) =>
    suite(name, () => {
      throw new Error(complaint)
    })
  return Object.assign(fail, hooks)
}

/** For one test among others: true when all are there; otherwise it is noted as skipped. */
export function needs(...wanted: readonly Need[]): boolean {
  const missing = missingOf(wanted)
  if (missing.length > 0 && process.env['NEARDNS_TEST_REQUIRE_ALL'] === '1') {
    throw new Error(
      missing.map((need) => `${need} is missing: ${requirements[need].how}`).join('; '),
    )
  }
  for (const need of missing) skipped.add(need)
  return missing.length === 0
}

/** For benches: the command that brings it, or undefined when it is there. */
export function howToGet(need: Need): string | undefined {
  return requirements[need].isThere() ? undefined : requirements[need].how
}

/** What was missing in this run and the command that brings it, for the runner's last lines. */
export function skippedNeeds(): SkippedNeed[] {
  return [...skipped].map((need) => ({ need, how: requirements[need].how }))
}

/** Absolute path of the CoreDNS binary, or undefined. */
export function corednsPath(version: string = corednsVersion): string | undefined {
  const isOlder = version === corednsOlderVersion
  const given = process.env[isOlder ? 'NEARDNS_COREDNS_OLDER' : 'NEARDNS_COREDNS']
  if (given !== undefined) return existsSync(given) ? given : undefined
  const cached = join(cacheDirectory(), 'coredns', version, 'coredns')
  return existsSync(cached) ? cached : undefined
}

/** Absolute path of actionlint, whether it is there or not. */
export function actionlintPath(): string {
  return join(cacheDirectory(), 'actionlint', actionlintVersion, 'actionlint')
}

export function goPath(): string | undefined {
  return inPath('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined)
}

/** Where built programs and CoreDNS live between runs. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'neardns')
}

function missingOf(wanted: readonly Need[]): Need[] {
  return wanted.filter((need) => {
    const there = known.get(need) ?? requirements[need].isThere()
    known.set(need, there)
    return !there
  })
}

function coredns(version: string, variable: string): Requirement {
  return {
    isThere: () => corednsPath(version) !== undefined,
    how: `GOBIN=${join(cacheDirectory(), 'coredns', version)} go install github.com/coredns/coredns@${version} (or ${variable}=/path/to/coredns)`,
  }
}

function program(name: string, debianPackage: string): Requirement {
  return {
    isThere: () => inPath(name) !== undefined,
    how: `sudo apt-get install --no-install-recommends ${debianPackage}`,
  }
}

/** Directories of the superuser are searched too: a user's PATH often lacks them, and `ip` lives there. */
function inPath(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.map((directory) => join(directory, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Root alone does not say it: containers often lack CAP_SYS_ADMIN, so it is tried. */
function canMakeNetns(): boolean {
  if (process.getuid?.() !== 0 || inPath('ip') === undefined) return false
  const name = `neardns-probe-${process.pid}`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'exec', name, 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    removeQuietly(name)
  }
}

function removeQuietly(name: string): void {
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  } catch {
    // Nothing was made.
  }
}
