/**
 * Firewalls of other people, as Debian packages them: unpacked with all they need into the cache directory outside of the tree, never
 * installed on the machine. Each run of one is a chroot over a writable layer of its own, so that what it writes goes with
 * the test, and in the network namespace of a node, so that its rules are that node's.
 *
 *   node test/support/world/neighbours-programs.ts     unpacks them; needs root and mmdebstrap, which knows Debian's mirror
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firewallsDirectory } from '../needs.ts'
import { Child, runToEnd } from '../process.ts'
import type { Netns } from './netns.ts'

/** firewalld 2.3, the first of Debian whose table belongs to its process; ufw 0.36. */
const release = 'trixie'
const packages = 'ufw,firewalld,dbus-daemon,iptables,nftables,iproute2'
/** Would be started by the bus, and nobody is asked here. */
const unwanted = 'usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service'

/** The system of a node, as far as its firewall sees it. */
export class NodeSystem {
  private readonly netns: Netns
  private readonly directory = mkdtempSync(join(tmpdir(), 'neardns-neighbour-'))

  constructor(netns: Netns) {
    this.netns = netns
    for (const name of ['upper', 'work', 'merged', 'run'])
      mkdirSync(join(this.directory, name), { recursive: true })
    writeFileSync(join(this.directory, 'enter'), enter(this.directory), { mode: 0o755 })
  }

  /** Runs a program to its end. @throws when it fails */
  async run(...command: readonly string[]): Promise<string> {
    const { code, output } = await runToEnd(this.enter, command, { netns: this.netns.name })
    if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}: ${output}`)
    return output
  }

  start(...command: readonly string[]): Child {
    return new Child(this.enter, command, { netns: this.netns.name })
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  private get enter(): string {
    return join(this.directory, 'enter')
  }
}

/** `ip netns exec` has made a mount namespace: what is mounted goes with the program. */
function enter(directory: string): string {
  const root = join(directory, 'merged')
  const layers = `lowerdir=${firewallsDirectory()},upperdir=${directory}/upper,workdir=${directory}/work`
  return [
    '#!/bin/sh -e',
    `mount -t overlay overlay -o ${layers} ${root}`,
    `for one in proc sys dev; do mount --rbind /$one ${root}/$one; done`,
    `mount --bind ${directory}/run ${root}/run`,
    `exec chroot ${root} "$@"`,
    '',
  ].join('\n')
}

function unpack(): void {
  const final = firewallsDirectory()
  if (existsSync(final)) return
  const unfinished = `${final}.${process.pid}.new`
  mkdirSync(join(final, '..'), { recursive: true })
  const flags = [
    '--mode=root',
    '--variant=essential',
    `--include=${packages}`,
    '--format=directory',
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Install-Recommends "false"',
    '--quiet',
  ]
  try {
    execFileSync('mmdebstrap', [...flags, release, unfinished], { stdio: 'inherit' })
    rmSync(join(unfinished, unwanted), { force: true })
    renameSync(unfinished, final)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

if (import.meta.main) unpack()
