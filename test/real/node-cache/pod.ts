/**
 * A container in the manner of a manifest: the bundle as the image has it, an /etc and a /run of its own with the mounted files, the environment that the
 * kubelet sets and nothing else, the capabilities of a container, a memory cgroup.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Child } from '../../support/process.ts'
import type { Netns } from '../../support/world/netns.ts'
import { MemoryCgroup } from '../../support/world/node-cgroup.ts'
import type { ArgumentSet } from './argument-sets.ts'

const root = new URL('../../../', import.meta.url).pathname

/** Of container runtimes. */
const defaultCapabilities = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['net_bind_service', 'net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'],
]

/** The bundle and the program that starts it, made once for a test file. Needs clang. */
export class Bundle {
  private readonly directory = mkdtempSync(join(tmpdir(), 'neardns-bundle-'))
  /** What the image has as its entry point. */
  readonly start = join(this.directory, 'dist/start')

  constructor() {
    const dist = dirname(this.start)
    execFileSync(process.execPath, ['build.ts', dist], { cwd: root, stdio: 'ignore' })
    const node = JSON.stringify(process.execPath)
    const source = 'src/system/first-sockets.c'
    execFileSync('clang', ['-O2', `-DNODE=${node}`, '-o', this.start, source], { cwd: root })
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'))
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export class Pod {
  readonly child: Child
  private readonly etc: string
  private readonly cgroup: MemoryCgroup | undefined

  /** Starts it and waits for nothing. */
  constructor(set: ArgumentSet, netns: Netns, { start }: Bundle) {
    this.etc = mkdtempSync(join(tmpdir(), 'neardns-etc-'))
    this.put('/etc/resolv.conf', 'nameserver 10.78.0.2\n')
    for (const [path, text] of Object.entries(set.files)) this.put(path, text)
    if (set.limitMiB !== undefined) {
      this.cgroup = new MemoryCgroup()
      this.cgroup.limit(set.limitMiB * 1_048_576)
    }
    const mounted = 'mount --bind "$0" /etc && mount -t tmpfs tmpfs /run && exec "$@"'
    const command = [
      ...(this.cgroup?.joining ?? []),
      ...['nsenter', `--net=/run/netns/${netns.name}`, 'unshare', '--mount'],
      ...['sh', '-c', mounted, this.etc],
      ...privileges(set),
      ...['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...Object.entries(set.env ?? {}).map(([name, value]) => `${name}=${value}`),
      ...[start, ...set.args],
    ]
    this.child = new Child(command[0] ?? '', command.slice(1))
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.child.stop(signal, 15_000)
    this.cgroup?.remove()
    rmSync(this.etc, { recursive: true, force: true })
  }

  private put(path: string, text: string): void {
    const at = join(this.etc, path.replace(/^\/etc\//, ''))
    mkdirSync(dirname(at), { recursive: true })
    writeFileSync(at, text)
  }
}

function privileges({ isPrivileged, capabilities = [], noNewPrivileges }: ArgumentSet): string[] {
  const given = [...defaultCapabilities, ...capabilities].map((one) => `+${one}`)
  const bounds = isPrivileged === true ? [] : ['--bounding-set', `-all,${given.join()}`]
  return [
    ...['setpriv', '--inh-caps=-all', ...bounds],
    ...(noNewPrivileges === true ? ['--no-new-privs'] : []),
  ]
}
