/**
 * A real CoreDNS whose other plugins change while it is asked: the files of `hosts` and `file`, lines and blocks of its Corefile,
 * and a second CoreDNS with stub zones. What each group of names says in each of its states is learned from CoreDNS itself; that
 * a change has arrived is seen by a marker name in the same text.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from '../../fuzz/random.ts'
import { askAllTcp } from '../client/ask-all.ts'
import { lookup, type Server } from '../client/dns-client.ts'
import type { ReadMessage } from '../client/dns-message.ts'
import { Coredns } from '../coredns.ts'
import { freePort } from '../free-port.ts'
import { until } from '../process.ts'
import type { KubeWorld } from '../world/kube-world.ts'
import {
  laterSteps,
  type PluginUnit,
  type SourceName,
  sourceNames,
  staticDomain,
  stubZones,
  zone,
} from './plugin-units.ts'
import { type Reign, withLabel } from './search-churn.ts'
import { Cluster, type CorefileParts } from './search-rig.ts'
import { meaningOf, replySummary } from './search-summary.ts'

/** CoreDNS looks this often at the files of its plugins. */
const readEvery = '1s'
/** After a reload of the Corefile the old servers go on for a moment: the marker must be seen so often in a row. */
const sightings = 10

export interface PluginWorldOptions {
  readonly world: KubeWorld
  readonly units: readonly PluginUnit[]
  /** Whether a server block serves a zone file below the cluster domain all the time. */
  readonly hasInsideZone: boolean
}

export class PluginWorld {
  readonly cluster: Cluster
  readonly stub: Server
  readonly units: readonly PluginUnit[]
  /** [unit][state][question]: what CoreDNS says. */
  readonly truth: string[][][]
  /** The same, for what answer mode may say in its place. */
  readonly instead: (string | undefined)[][][]
  readonly history: Reign[][]
  changes = 0
  lagMaxMs = 0
  readonly #stubCoredns: Coredns
  readonly #directory: string
  #version = 1

  private constructor(
    cluster: Cluster,
    units: readonly PluginUnit[],
    { coredns, server }: { readonly coredns: Coredns; readonly server: Server },
  ) {
    this.cluster = cluster
    this.units = units
    this.stub = server
    this.#stubCoredns = coredns
    this.#directory = dirname(cluster.corefile)
    this.truth = units.map(() => [])
    this.instead = units.map(() => [])
    this.history = units.map(() => [{ state: 0, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }])
  }

  static async start({ world, units, hasInsideZone }: PluginWorldOptions): Promise<PluginWorld> {
    const corefile = (parts: CorefileParts) => corefileOf(parts, hasInsideZone)
    const cluster = await Cluster.start({ world, corefile })
    const server = { host: '127.0.0.1', port: await freePort() }
    const stubCorefile = `.:${server.port} {\n  bind 127.0.0.1\n  errors\n${zonePlugin(dirname(cluster.corefile), 'stub', '.')}}\n`
    const coredns = await Coredns.start({ corefile: stubCorefile })
    const plugins = new PluginWorld(cluster, units, { coredns, server })
    try {
      await plugins.learnTruth()
      return plugins
    } catch (error) {
      await plugins.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#stubCoredns.stop()
    await this.cluster.stop()
  }

  get names(): number {
    return new Set(this.units.flatMap(({ questions }) => questions.map(({ name }) => name))).size
  }

  /** Puts all groups into each of their states, asks CoreDNS everything, and ends where all are absent. */
  private async learnTruth(): Promise<void> {
    const states = Math.max(...this.units.map(({ texts }) => texts.length))
    for (let state = 0; state < states; state++) {
      await this.setAll(state)
      for (const [index, unit] of this.units.entries()) {
        if (state < unit.texts.length) await this.learn(index, unit)
      }
    }
    await this.setAll(0)
    for (const [index] of this.units.entries())
      this.history[index] = [{ state: 0, fromMs: 0, untilMs: Number.POSITIVE_INFINITY }]
    this.changes = 0
    this.lagMaxMs = 0
  }

  private async learn(index: number, { questions }: PluginUnit): Promise<void> {
    const asked = questions.map(({ name, type }) => ({ name: withLabel(name, 'anything'), type }))
    const own = await this.askOwner(asked)
    this.truth[index]?.push(own.map(saidBy))
    const walks = questions.flatMap(({ absolute = '', type }, i) => {
      if (absolute === '' || own[i]?.rcode !== 3) return []
      return [
        { i, steps: laterSteps(withLabel(absolute, 'anything')).map((name) => ({ name, type })) },
      ]
    })
    const said = await this.askOwner(walks.flatMap(({ steps }) => steps))
    const found: (string | undefined)[] = questions.map(() => undefined)
    for (const { i, steps } of walks) {
      const replies = said.splice(0, steps.length)
      const last = replies.at(-1)
      const isDenied = replies.slice(0, -1).every(({ rcode }) => rcode === 3)
      if (!isDenied || last?.rcode !== 0) continue
      const [first, target] = [asked[i]?.name, steps.at(-1)?.name]
      const alias = { name: `${first}.`, type: 5, class: 1, ttl: 0, data: `${target}.` }
      found[i] = meaningOf({ ...last, answers: [alias, ...last.answers] })
    }
    this.instead[index]?.push(found)
  }

  /** Asks whoever answers for each name. */
  private async askOwner(asked: Parameters<typeof askAllTcp>[1]) {
    const isStub = ({ name }: { readonly name: string }) =>
      stubZones.some((origin) => name.endsWith(`.${origin}`))
    const [main, stub] = [
      await askAllTcp(
        this.cluster.direct,
        asked.filter((each) => !isStub(each)),
      ),
      await askAllTcp(this.stub, asked.filter(isStub)),
    ]
    return asked.flatMap((each) => (isStub(each) ? stub : main).shift() ?? [])
  }

  private async setAll(state: number): Promise<void> {
    const last = (index: number) => (this.units[index]?.texts.length ?? 1) - 1
    const all = this.sources().map(async (source) => {
      const states = this.of(source).map((index) => [index, Math.min(state, last(index))] as const)
      await this.put(source, states)
    })
    await Promise.all(all)
  }

  /** Changes groups at random until told to stop, each source at its own pace. */
  async run(random: Random, isOver: () => boolean): Promise<void> {
    await Promise.all(
      this.sources().map(async (source) => {
        const indexes = this.of(source)
        while (!isOver()) {
          const some = indexes.filter(() => random.below(2) === 0)
          const texts = (index: number) => this.units[index]?.texts.length ?? 1
          await this.put(
            source,
            some.map((index) => [index, random.below(texts(index))]),
          )
          await new Promise((resolve) => setTimeout(resolve, random.below(3000)))
        }
      }),
    )
  }

  private sources(): SourceName[] {
    return sourceNames.filter((source) => this.of(source).length > 0)
  }

  private of(source: SourceName): number[] {
    return [...this.units.keys()].filter((index) => this.units[index]?.source === source)
  }

  /** Gives groups of one source new states and waits until CoreDNS has them. */
  private async put(
    source: SourceName,
    states: readonly (readonly [number, number])[],
  ): Promise<void> {
    const fromMs = performance.now()
    const before: Reign[] = []
    for (const [index, state] of states) {
      const reigns = this.history[index] ?? []
      const last = reigns.at(-1)
      if (last === undefined || last.state === state) continue
      before.push(last)
      reigns.push({ state, fromMs, untilMs: Number.POSITIVE_INFINITY })
    }
    await this.write(source)
    for (const reign of before) reign.untilMs = performance.now()
    this.lagMaxMs = Math.max(this.lagMaxMs, performance.now() - fromMs)
    this.changes += before.length
  }

  private async write(source: SourceName): Promise<void> {
    this.#version += 1
    const version = this.#version
    const address = `10.${(version >> 16) & 255}.${(version >> 8) & 255}.${version & 255}`
    const text = this.of(source)
      .map((index) => this.units[index]?.texts[this.history[index]?.at(-1)?.state ?? 0] ?? '')
      .join('')
    const { file, marker, head } = sourceFile(source, address, version)
    replace(
      join(this.#directory, file),
      (head + text).replaceAll('PORT', String(this.cluster.direct.port)),
    )
    let seen = 0
    const isSeen = async () => {
      const { answers } = await lookup(
        source === 'stub' ? this.stub : this.cluster.direct,
        marker,
        'A',
      )
      seen = answers.at(-1)?.data === address ? seen + 1 : 0
      return seen >= (source === 'lines' || source === 'blocks' ? sightings : 1)
    }
    await until(`CoreDNS has read ${file}`, isSeen, { timeoutMs: 30_000, everyMs: 10 })
  }
}

/** Denials whole; of answers what neardns passes on: `file` adds the zone's NS. */
function saidBy(message: ReadMessage): string {
  return message.rcode === 3 ? replySummary(message) : meaningOf(message)
}

interface SourceFile {
  readonly file: string
  readonly marker: string
  /** What stands before the texts of the groups, the marker in it. */
  readonly head: string
}

function sourceFile(source: SourceName, address: string, version: number): SourceFile {
  const marker = `${source}.marker.test`
  const answer = `template IN A ${marker} {\n    answer "{{ .Name }} 0 IN A ${address}"\n  }\n`
  switch (source) {
    case 'hosts':
      return { file: 'hosts', marker, head: `${address} ${marker}\n` }
    case 'lines':
      return { file: 'custom/lines.override', marker, head: `  ${answer}` }
    case 'blocks': {
      const head = `${marker}:PORT {\n  bind 127.0.0.1\n  ${answer}}\n`
      return { file: 'custom/blocks.server', marker, head }
    }
    default: {
      const origin = source === 'inside' ? `corp.${zone}` : 'lab.example.org'
      const at = source === 'stub' ? '.' : `${origin}.`
      const name = source === 'stub' ? marker : `marker.${origin}`
      return {
        file: `${source}.zone`,
        marker: name,
        head: zoneHead(at, version, `${name}. 0 IN A ${address}\n`),
      }
    }
  }
}

function zoneHead(origin: string, version: number, marker = ''): string {
  const life = origin.startsWith('lab') ? 2 : 5
  return `$ORIGIN ${origin}\n@ ${life} IN SOA ns.example.org. hostmaster.example.org. ${version} 7200 1800 86400 ${life}\n@ ${life} IN NS ns.example.org.\n${marker}`
}

function zonePlugin(directory: string, source: SourceName, origin: string): string {
  const file = join(directory, `${source}.zone`)
  replace(file, zoneHead(origin === '.' ? '.' : `${origin}.`, 1))
  return `  file ${file} ${origin} {\n    reload ${readEvery}\n  }\n`
}

function corefileOf(
  { port, base, apiUrl, directory }: CorefileParts,
  hasInsideZone: boolean,
): string {
  mkdirSync(join(directory, 'custom'))
  replace(join(directory, 'hosts'), '')
  const empty = join(directory, 'empty.zone')
  writeFileSync(
    empty,
    '@ 5 IN SOA ns.example.org. hostmaster.example.org. 1 7200 1800 86400 5\n@ 5 IN NS ns.example.org.\n',
  )
  const block = (source: SourceName, origin: string) =>
    `${origin}:${port} {\n  bind 127.0.0.1\n${zonePlugin(directory, source, origin)}}\n`
  const fixed = (type: string, address: string) =>
    `  template IN ${type} ${staticDomain} {\n    answer "{{ .Name }} 5 IN ${type} ${address}"\n  }\n`
  return `.:${port} {
${base.replace('reload', 'reload 2s 1s')}
  import ${directory}/custom/*.override
${fixed('A', '10.9.0.1')}${fixed('AAAA', 'fd09::1')}  hosts ${directory}/hosts {
    ttl 5
    reload ${readEvery}
    fallthrough
  }
  kubernetes ${zone} in-addr.arpa ip6.arpa {
    endpoint ${apiUrl}
    pods insecure
    ttl 5
  }
  file ${empty} lan.example.com tpl.example.io
}
import ${directory}/custom/*.server
${hasInsideZone ? block('inside', `corp.${zone}`) : ''}${block('outside', 'lab.example.org')}`
}

/** In one step: no reader must see half of a file. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
