/**
 * A real unbound as the external resolver of a test: it makes up answers for everything below the given names from
 * its configuration and asks nobody. Anything else is NXDOMAIN. https://nlnetlabs.nl/documentation/unbound/unbound.conf/
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './process.ts'
import { foreground } from './unbound-conf.ts'

export interface UnboundOptions {
  readonly address: string
  readonly port: number
  readonly netns?: string | undefined
  /** Every name at or below `zone` has this record set, e.g. `['A 192.0.2.1', 'AAAA 2001:db8::1']`. */
  readonly zones: Readonly<Record<string, readonly string[]>>
  readonly ttlSeconds: number
}

export class Unbound {
  readonly #options: UnboundOptions
  #child: Child | undefined
  #directory: string | undefined

  private constructor(options: UnboundOptions) {
    this.#options = options
  }

  static async start(options: UnboundOptions): Promise<Unbound> {
    const unbound = new Unbound(options)
    await unbound.startAgain()
    return unbound
  }

  async startAgain(): Promise<void> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'neardns-unbound-'))
    const path = join(this.#directory, 'unbound.conf')
    await writeFile(path, configuration(this.#options))
    this.#child = new Child('unbound', ['-d', '-p', '-c', path], { netns: this.#options.netns })
    await this.#child.line((line) => line.includes('start of service'), 10_000)
  }

  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.kill()
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }
}

function configuration({ address, port, zones, ttlSeconds }: UnboundOptions): string {
  const data = Object.entries(zones).flatMap(([zone, records]) => [
    `local-zone: "${zone}" redirect`,
    ...records.map((record) => `local-data: "${zone} ${ttlSeconds} IN ${record}"`),
  ])
  return `${foreground}  interface: ${address}@${port}
  access-control: 0.0.0.0/0 allow
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "." static
${data.map((line) => `  ${line}`).join('\n')}
`
}
