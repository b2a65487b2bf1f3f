/**
 * Goal: what the daemon writes is read by every nft and iptables that a node, kube-proxy's image or an administrator may have, whichever
 * ones its own image has: an old nft crashes on sets that a new one wrote (kubernetes#136786), kube-proxy with it, and then no new
 * Service of the cluster gets rules.
 * Method: a matrix of writers and readers out of Debian 11, 12, 13 and sid: the programs of one release for kube-proxy, of another for
 * the daemon, and all of them read the node before and after. Where kube-proxy's own nft is newer than a reader, that reader crashes
 * without us, too: the daemon must add nothing to that. All pairs with NEARDNS_INTERCEPTION_LONG=1.
 */
import { delimiter, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DebianRelease, debianReleases, imageRelease } from '../cluster/build/versions.ts'
import type { Neardns } from '../support/neardns.ts'
import { debianDirectory, hasDebianPrograms, needing } from '../support/needs.ts'
import { runToEnd, until } from '../support/process.ts'
import {
  clusterIp,
  clusterIp6,
  linkLocal,
  linkLocal6,
  NodeWorld,
} from '../support/world/node-world.ts'
import type { RealProxyMode } from '../support/world/real-kube-proxy.ts'

export const testTimeoutMs = 90_000

const test = needing(
  suite('real/interception-nft'),
  ...(['coredns', 'netns', 'nft', 'iptables', 'kubernetes', 'debian-programs'] as const),
)
const isLong = process.env['NEARDNS_INTERCEPTION_LONG'] === '1'
/** The newest release is what the mirror of the day makes of it. Without any of them all are named, and skipped. */
const there = debianReleases.filter(hasDebianPrograms)
const releases = there.length === 0 ? debianReleases : there
const all = [linkLocal, clusterIp, linkLocal6, clusterIp6]
const laterIp = '10.96.0.50'

interface Pair {
  readonly proxy: RealProxyMode
  /** Whose nft and iptables kube-proxy has. */
  readonly node: DebianRelease
  /** Whose the daemon has. */
  readonly image: DebianRelease
}

/** kube-proxy wants nft 1.0.1 for its nftables mode; Debian 11 has 0.9.8. */
const nftablesNodes = releases.filter((release) => release !== 'bullseye')

function pairs(): Pair[] {
  const images = isLong ? releases : [imageRelease]
  const iptablesNodes = isLong ? releases : releases.filter((release) => release === 'bullseye')
  return images.flatMap((image) => [
    ...nftablesNodes.map((node): Pair => ({ proxy: 'nftables', node, image })),
    ...iptablesNodes.map((node): Pair => ({ proxy: 'iptables-nft', node, image })),
  ])
}

/** What administrators and other programs of a node run. */
const looks: readonly (readonly [string, ...string[]])[] = [
  ['nft', 'list', 'tables'],
  ['nft', 'list', 'ruleset'],
  ['nft', '--json', 'list', 'ruleset'],
  ['iptables-nft-save'],
  ['ip6tables-nft-save'],
]

/** Looks that fail, as `release: command`. */
async function unreadable(world: NodeWorld): Promise<string[]> {
  const failed: string[] = []
  for (const release of releases) {
    for (const [program, ...args] of looks) {
      const path = join(debianDirectory(release), 'bin', program)
      const { code } = await runToEnd(path, args, { netns: world.node.name })
      if (code !== 0) failed.push(`${release}: ${[program, ...args].join(' ')}`)
    }
  }
  return failed
}

async function startWithProgramsOf(world: NodeWorld, image: DebianRelease): Promise<Neardns> {
  const path = [join(debianDirectory(image), 'bin'), process.env['PATH'] ?? ''].join(delimiter)
  return await world.startNeardns(world.config({}, 'both'), { PATH: path })
}

async function who(world: NodeWorld): Promise<string[]> {
  const answers: string[] = []
  for (const address of all) answers.push(await world.answeredBy(address))
  return answers
}

for (const { proxy, node, image } of pairs()) {
  test(`programs of ${image} in the image, of ${node} with kube-proxy ${proxy}: everybody reads and writes on`, () =>
    NodeWorld.with(
      proxy,
      async (world) => {
        const before = await unreadable(world)
        const neardns = await startWithProgramsOf(world, image)
        assert.equal(await unreadable(world), before, 'nobody crashes who did not before')
        await world.cluster.addService({
          name: 'later',
          clusterIps: [laterIp],
          endpoints: [{ address: '10.78.0.2' }],
        })
        const works = async () => (await world.answeredBy(laterIp)) === 'coredns'
        await until('the Service made afterwards works', works, { timeoutMs: 10_000 })
        assert.equal(
          await who(world),
          all.map(() => 'neardns'),
        )
        await neardns.child.stop('SIGKILL')
        const isOpen = async () => (await world.answeredBy(linkLocal)) === 'coredns'
        await until('the standby answers', isOpen)
        assert.equal(await unreadable(world), before, 'what is left behind is read as well')
      },
      { programs: node },
    ))
}

test.run()
