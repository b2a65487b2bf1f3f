/** A memory cgroup of a test's own (version 1), for a real kill by the kernel. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'

const root = '/sys/fs/cgroup/memory'
let counter = 0

export class MemoryCgroup {
  private readonly path: string

  constructor() {
    counter += 1
    this.path = `${root}/neardns-${process.pid}-${counter}`
    mkdirSync(this.path)
  }

  /** Puts itself in and becomes the command that follows. */
  get joining(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${this.path}/cgroup.procs && exec "$@"`, 'sh']
  }

  add(pid: number): void {
    writeFileSync(`${this.path}/cgroup.procs`, String(pid))
  }

  /** What its processes hold beyond this is asked back, and who cannot give it back is killed. */
  limit(bytes: number): void {
    writeFileSync(`${this.path}/memory.limit_in_bytes`, String(bytes))
  }

  remove(): void {
    rmdirSync(this.path)
  }
}
