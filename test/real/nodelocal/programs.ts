/** CoreDNS and neardns with one Corefile, each on a port of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCorefileConfig } from '../../../src/cli/nodelocal/corefile-config.ts'
import { formatYaml } from '../../../src/config/yaml.ts'
import { lookup, type Server } from '../../support/client/dns-client.ts'
import type { ReadMessage } from '../../support/client/dns-message.ts'
import { Coredns } from '../../support/coredns.ts'
import { freePort } from '../../support/free-port.ts'
import { Neardns } from '../../support/neardns.ts'
import type { Form } from './forms.ts'
import type { Question, World } from './world.ts'

export interface Replies {
  readonly theirs: ReadMessage
  readonly ours: ReadMessage
}

export class Programs {
  private readonly coredns: Coredns
  private readonly neardns: Neardns
  private readonly directory: string
  private readonly ports: readonly [theirs: number, ours: number]

  private constructor(
    programs: { readonly coredns: Coredns; readonly neardns: Neardns },
    directory: string,
    ports: readonly [number, number],
  ) {
    this.coredns = programs.coredns
    this.neardns = programs.neardns
    this.directory = directory
    this.ports = ports
  }

  /** @param apart words that stand for another port in each program's Corefile */
  static async start(
    { corefile }: Form,
    { places }: World,
    apart: Readonly<Record<string, readonly number[]>> = {},
  ): Promise<Programs> {
    const directory = await mkdtemp(join(tmpdir(), 'neardns-nodelocal-'))
    const ports = [await freePort(), await freePort()] as const
    const placed = async (port: number) => {
      const own = Object.entries(apart).map(([word, of]) => [word, of[ports.indexOf(port)]])
      const known = {
        ...Object.fromEntries(own),
        ...places,
        LISTEN: String(port),
        HEALTH: `127.0.0.1:${await freePort()}`,
      }
      return Object.entries(known).reduce(
        (text, [word, place]) => text.replaceAll(word, String(place)),
        corefile,
      )
    }
    const path = join(directory, 'Corefile')
    const read = await readCorefileConfig(path, await placed(ports[1]))
    if (!read.ok) throw new Error(JSON.stringify(read.problems))
    const config = join(directory, 'neardns.yaml')
    await writeFile(config, formatYaml({ ...read.settings, admin: { listen: [] } }))
    const coredns = await Coredns.start({ corefile: await placed(ports[0]) })
    const neardns = await Neardns.start({ args: ['--config', config] })
    return new Programs({ coredns, neardns }, directory, ports)
  }

  async ask({ name, type, ednsBytes, overTcp }: Question): Promise<Replies> {
    const [theirs, ours] = await Promise.all(
      this.ports.map((port) => {
        const server: Server = { host: '127.0.0.1', port }
        const options = { tcp: overTcp, timeoutMs: 8000 }
        return lookup(
          server,
          name,
          type,
          ednsBytes === undefined ? options : { ...options, ednsBytes },
        )
      }),
    )
    if (theirs === undefined || ours === undefined) throw new Error('no reply')
    return { theirs, ours }
  }

  async stop(): Promise<void> {
    await Promise.all([this.coredns.stop(), this.neardns.stop()])
    await rm(this.directory, { recursive: true, force: true })
  }
}
