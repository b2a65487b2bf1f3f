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
import { countTcx, TcxSide } from '../../src/system/bpf.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import {
  type DebianRelease,
  kubernetesVersion,
  olderKubeProxyVersions,
} from '../cluster/build/versions.ts'

/** The CoreDNS that the tests are written against; `.ci/run` builds this one and the older. */
export const corednsVersion = 'v1.14.7'
/** One that clusters still run (Kubernetes 1.31 and 1.32 came with it), where the two are to be compared. */
export const corednsOlderVersion = 'v1.11.3'
/** The newest when this was written: a peer in the comparison. */
export const corednsNewestVersion = 'v1.15.0'
/** Programs that render and check the manifests; `npm run manifests:tools` builds them. */
export const chartToolVersions = {
  helm: 'v3.22.0',
  kubeconform: 'v0.8.0',
  // 5.8.3 wants Go 1.27.
  kustomize: 'v5.8.1',
} as const
export type ChartTool = keyof typeof chartToolVersions
/** The oldest Kubernetes that the chart's defaults are for, and the newest that was there when they were written. */
export const schemaVersions = ['v1.25.16', 'v1.37.2'] as const

const chartToolsHow = 'npm run manifests:tools (with Go 1.26 or newer; some three minutes, once)'
/** Checks workflow files; `.ci/run` builds it. */
export const actionlintVersion = 'v1.7.12'

interface Requirement {
  readonly isThere: () => boolean
  /** One command that brings it. */
  readonly how: string
}

const requirements = {
  coredns: coredns(corednsVersion, 'NEARDNS_COREDNS'),
  'coredns-newest': coredns(corednsNewestVersion, 'NEARDNS_COREDNS_NEWEST'),
  'coredns-older': coredns(corednsOlderVersion, 'NEARDNS_COREDNS_OLDER'),
  'node-cache': {
    isThere: () => existsSync(nodeCachePath()),
    how: 'npm run bench:build-node-cache (with Go 1.26 or newer; some two minutes, once)',
  },
  helm: chartTool('helm'),
  kubeconform: {
    isThere: () =>
      existsSync(chartToolPath('kubeconform')) &&
      schemaVersions.every((version) => existsSync(schemaDirectory(version))),
    how: chartToolsHow,
  },
  kustomize: chartTool('kustomize'),
  dig: program('dig', 'bind9-dnsutils'),
  kdig: program('kdig', 'knot-dnsutils'),
  ip: program('ip', 'iproute2'),
  iptables: program('iptables', 'iptables'),
  nft: program('nft', 'nftables'),
  conntrack: program('conntrack', 'conntrack'),
  clang: program('clang', 'clang linux-libc-dev'),
  curl: program('curl', 'curl'),
  setpriv: program('setpriv', 'util-linux'),
  tcpdump: program('tcpdump', 'tcpdump'),
  unbound: program('unbound', 'unbound'),
  prometheus: program('prometheus', 'prometheus'),
  promtool: program('promtool', 'prometheus'),
  // For the picture of the dashboard.
  chromium: program('chromium', 'chromium'),
  dnsdist: program('dnsdist', 'dnsdist'),
  'dnstap-ldns': program('dnstap-ldns', 'dnstap-ldns'),
  fstrm_capture: program('fstrm_capture', 'fstrm-bin'),
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
  /** Programs of tcx (Linux 6.6) may be loaded. */
  tcx: {
    isThere: hasTcx,
    how: 'sudo npm test on Linux 6.6 or newer, where bpf(2) is allowed',
  },
  netns: { isThere: canMakeNetns, how: 'sudo npm test, with iproute2 installed' },
  /** The real API server and the real kube-proxy. */
  kubernetes: {
    isThere: () => apiPrograms.every((name) => existsSync(kubernetesProgram(name))),
    how: 'npm run cluster:build -- api (with Go 1.26 or newer; some seven minutes, once)',
  },
  /** The whole node: what starts containers, and the rest of Kubernetes. */
  'kubernetes-node': {
    isThere: () =>
      nodePrograms.every((name) => existsSync(kubernetesProgram(name))) &&
      ['containerd', 'runc', 'buildah', 'mmdebstrap'].every((name) => programPath(name)),
    how: 'npm run cluster:build -- node; sudo apt-get install --no-install-recommends containerd runc containernetworking-plugins buildah mmdebstrap busybox-static libcap2-bin openssl curl',
  },
  'kube-proxies': {
    isThere: () =>
      olderKubeProxyVersions.every((v) => existsSync(kubernetesProgram('kube-proxy', v))),
    how: 'npm run cluster:build -- proxies (with Go 1.26 or newer; some minutes each, once)',
  },
  /** nft and iptables of other releases than the machine's. */
  'debian-programs': {
    isThere: () => (['bullseye', 'bookworm', 'trixie'] as const).every(hasDebianPrograms),
    how: 'sudo npm run cluster:nft (with mmdebstrap installed)',
  },
  /** ufw and firewalld, which are never installed on the machine. */
  firewalls: {
    isThere: () => existsSync(join(firewallsDirectory(), 'usr/sbin/ufw')),
    how: 'sudo node test/support/world/neighbours-programs.ts (with mmdebstrap installed)',
  },
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

const corednsVariables = new Map([
  [corednsVersion, 'NEARDNS_COREDNS'],
  [corednsOlderVersion, 'NEARDNS_COREDNS_OLDER'],
  [corednsNewestVersion, 'NEARDNS_COREDNS_NEWEST'],
])

/** Absolute path of the CoreDNS binary, or undefined. */
export function corednsPath(version: string = corednsVersion): string | undefined {
  const given = process.env[corednsVariables.get(version) ?? '']
  if (given !== undefined) return existsSync(given) ? given : undefined
  const cached = join(cacheDirectory(), 'coredns', version, 'coredns')
  return existsSync(cached) ? cached : undefined
}

/** Absolute path of CoreDNS with the plugins of NodeLocal DNSCache, whether it is there or not. */
export function nodeCachePath(): string {
  return join(cacheDirectory(), 'node-cache', corednsVersion, 'node-cache')
}

/** Absolute path of actionlint, whether it is there or not. */
export function actionlintPath(): string {
  return join(cacheDirectory(), 'actionlint', actionlintVersion, 'actionlint')
}

export function goPath(): string | undefined {
  return (
    programPath('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined)
  )
}

const apiPrograms = ['etcd', 'kube-apiserver', 'kube-proxy', 'kubectl']
const nodePrograms = [...apiPrograms, 'kube-controller-manager', 'kube-scheduler', 'kubelet']

/** Where test/cluster/build/build.ts puts the programs of a Kubernetes release. */
export function kubernetesDirectory(version: string): string {
  return join(cacheDirectory(), 'kubernetes', version)
}

/** Absolute path of one of them, whether it is there or not. */
export function kubernetesProgram(name: string, version: string = kubernetesVersion): string {
  return join(kubernetesDirectory(version), name)
}

/** Where test/cluster/matrix/nft-matrix.ts puts the programs of a Debian release. */
export function debianDirectory(release: DebianRelease): string {
  return join(cacheDirectory(), 'debian', release)
}

export function hasDebianPrograms(release: DebianRelease): boolean {
  return existsSync(join(debianDirectory(release), 'bin', 'nft'))
}

/** Absolute path of a program that renders or checks manifests, whether it is there or not. */
export function chartToolPath(name: ChartTool): string {
  return join(cacheDirectory(), name, chartToolVersions[name], name)
}

/** Where the JSON Schemas of a Kubernetes release are, one file for each kind. */
export function schemaDirectory(version: (typeof schemaVersions)[number]): string {
  return join(cacheDirectory(), 'kubernetes-schemas', version)
}

function chartTool(name: ChartTool): Requirement {
  return { isThere: () => existsSync(chartToolPath(name)), how: chartToolsHow }
}

/** Where test/support/world/neighbours-programs.ts puts the firewalls of other people. */
export function firewallsDirectory(): string {
  return join(cacheDirectory(), 'firewalls')
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
    isThere: () => programPath(name) !== undefined,
    how: `sudo apt-get install --no-install-recommends ${debianPackage}`,
  }
}

/** Directories of the superuser are searched too: a user's PATH often lacks them, and `ip` lives there. */
export function programPath(name: string): string | undefined {
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
  if (process.getuid?.() !== 0 || programPath('ip') === undefined) return false
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

/** The loopback has no program of its own: the kernel says 0, or that it knows nothing of this. */
function hasTcx(): boolean {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false
  return countTcx(loadSystemCalls(), 1, TcxSide.ingress) >= 0
}

function removeQuietly(name: string): void {
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  } catch {
    // Nothing was made.
  }
}
