/**
 * Makes the captures beside this file anew: what the kernel says about the rules of the real kube-proxy and of real firewalls, as root, with
 * what `npm run cluster:build -- api` and `cluster:nft` bring: `node test/host/captures/record.ts`. Nothing outside of network namespaces
 * of its own is touched.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DebianRelease } from '../../cluster/build/versions.ts'
import { mustRun } from '../../support/process.ts'
import { Netns } from '../../support/world/netns.ts'
import { NodeWorld } from '../../support/world/node-world.ts'
import type { RealProxyMode } from '../../support/world/real-kube-proxy.ts'

const recorder = join(import.meta.dirname, 'recorder.ts')
/** kube-dns in both families, and a Service that there is none of. */
const services = ['10.96.0.10:53', '[fd96::a]:53', '10.96.0.99:53']

async function record(netns: Netns, name: string, questions: readonly string[]): Promise<void> {
  const text = await mustRun(process.execPath, [recorder, ...questions], { netns: netns.name })
  writeFileSync(join(import.meta.dirname, `${name}.txt`), text)
}

async function recordKubeProxy(
  name: string,
  mode: RealProxyMode,
  programs?: DebianRelease,
): Promise<void> {
  const choice = programs === undefined ? {} : { programs }
  await NodeWorld.with(mode, (world) => record(world.node, name, services), choice)
}

async function recordFirewall(
  name: string,
  questions: readonly string[],
  load: (netns: Netns) => Promise<void>,
): Promise<void> {
  const netns = await Netns.create('capture')
  try {
    await load(netns)
    await record(netns, name, questions)
  } finally {
    await netns.remove()
  }
}

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, '../../fixtures/firewalls', name), 'utf8')
}

async function recordFirewalls(): Promise<void> {
  await recordFirewall('firewalld-2.3.1', ['guarded', 'openings'], async ({ name: netns }) => {
    await mustRun('nft', ['-f', '-'], { netns, stdin: fixture('firewalld-2.3.1.nft') })
  })
  await recordFirewall('ufw-0.36.2', ['guarded'], async ({ name: netns }) => {
    for (const [program, family] of [
      ['iptables-nft-restore', 'ipv4'],
      ['ip6tables-nft-restore', 'ipv6'],
    ] as const) {
      await mustRun(program, [], { netns, stdin: fixture(`ufw-0.36.2-${family}.txt`) })
    }
  })
}

await recordFirewalls()
await recordKubeProxy('kube-proxy-nftables-1.37.2', 'nftables')
await recordKubeProxy('kube-proxy-iptables-1.37.2-bullseye', 'iptables-nft', 'bullseye')
await recordKubeProxy('kube-proxy-iptables-1.37.2-trixie', 'iptables-nft', 'trixie')
