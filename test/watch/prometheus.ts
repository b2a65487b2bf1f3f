/**
 * A real Prometheus as a child process on loopback: told what to scrape and which rules to evaluate, asked over its HTTP API.
 * Its data lives in a directory of its own and goes with it. It knows nothing of neardns.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../support/free-port.ts'
import { Child, until } from '../support/process.ts'

/** Short, so that a rate is there after two seconds. */
export const scrapeIntervalSeconds = 1

export interface Target {
  /** `HOST:PORT` that serves /metrics. */
  readonly address: string
  /** What service discovery would attach: job, node, pod and so on. `instance` as well, or it is the address. */
  readonly labels: Readonly<Record<string, string>>
}

export interface PrometheusOptions {
  /** Rule files, as values: JSON is YAML. */
  readonly rules?: readonly object[]
  readonly targets?: readonly Target[]
  /** Whole scrape configurations in place of targets. */
  readonly scrapes?: readonly object[]
  /** Network namespace that it runs in and is asked in; needs root and curl. */
  readonly netns?: string
}

/** A target that Prometheus has made of what it was given. */
export interface Discovered {
  readonly labels: Readonly<Record<string, string>>
  readonly scrapeUrl: string
}

/** One series of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** One series of a range query. */
export interface Curve {
  readonly metric: Readonly<Record<string, string>>
  /** Seconds since 1970, and what was there. */
  readonly points: readonly (readonly [seconds: number, value: number])[]
}

export interface Range {
  readonly startSeconds: number
  readonly endSeconds: number
  readonly stepSeconds: number
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
}

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
}

export class Prometheus {
  readonly #child: Child
  readonly #url: string
  readonly #directory: string
  readonly #netns: string | undefined

  private constructor(child: Child, url: string, directory: string, netns: string | undefined) {
    this.#child = child
    this.#url = url
    this.#directory = directory
    this.#netns = netns
  }

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const { rules = [], targets = [], scrapes = [staticScrape(targets)] } = options
    const directory = await mkdtemp(join(tmpdir(), 'neardns-prometheus-'))
    const files = rules.map((_, n) => join(directory, `rules-${n}.json`))
    for (const [n, rule] of rules.entries()) await writeFile(files[n] ?? '', JSON.stringify(rule))
    const config = join(directory, 'prometheus.json')
    await writeFile(config, JSON.stringify(configOf(scrapes, files)))
    const listen = `127.0.0.1:${await freePort()}`
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${listen}`,
      '--log.level=warn',
    ]
    const { netns } = options
    const child = new Child('prometheus', args, { netns })
    const prometheus = new Prometheus(child, `http://${listen}`, directory, netns)
    try {
      await until('Prometheus is ready', () => prometheus.isReady(), { timeoutMs: 30_000 })
    } catch (error) {
      await prometheus.stop()
      throw new Error(`${String(error)}: ${child.tail()}`)
    }
    return prometheus
  }

  /** Throws with Prometheus's own words when it cannot evaluate the expression. */
  async query(expression: string): Promise<Sample[]> {
    const result = await this.#result('query', { query: expression })
    return result.map(({ metric, value }) => ({ metric, value: Number(value?.[1]) }))
  }

  async queryRange(expression: string, range: Range): Promise<Curve[]> {
    const { startSeconds, endSeconds, stepSeconds } = range
    const times = {
      start: String(startSeconds),
      end: String(endSeconds),
      step: String(stepSeconds),
    }
    const result = await this.#result('query_range', { query: expression, ...times })
    return result.map(({ metric, values = [] }) => ({
      metric,
      points: values.map(([seconds, value]) => [seconds, Number(value)] as const),
    }))
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    const { alerts } = (await this.#get('alerts', {})) as { alerts: readonly ActiveAlert[] }
    return alerts
  }

  async targets(): Promise<readonly Discovered[]> {
    const { activeTargets } = (await this.#get('targets', {})) as {
      activeTargets: readonly Discovered[]
    }
    return activeTargets
  }

  /** Errors of rules in their newest evaluation, by the name of the rule. */
  async ruleErrors(): Promise<string[]> {
    type Rules = { groups: readonly { rules: readonly { name: string; lastError?: string }[] }[] }
    const { groups } = (await this.#get('rules', {})) as Rules
    return groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : []))
  }

  async stop(): Promise<void> {
    await this.#child.stop('SIGKILL')
    await rm(this.#directory, { recursive: true, force: true })
  }

  private async isReady(): Promise<boolean> {
    if (!this.#child.running) throw new Error(`Prometheus ended: ${this.#child.tail()}`)
    try {
      return (await this.#read('/-/ready')).includes('is Ready')
    } catch {
      return false
    }
  }

  async #result(path: string, parameters: Record<string, string>): Promise<readonly RawSeries[]> {
    const { result } = (await this.#get(path, parameters)) as { result: readonly RawSeries[] }
    return result
  }

  async #get(path: string, parameters: Record<string, string>): Promise<unknown> {
    const body = new URLSearchParams(parameters).toString()
    const text = await this.#read(`/api/v1/${path}?${body}`)
    const answer = JSON.parse(text) as { status: string; error?: string; data: unknown }
    if (answer.status === 'success') return answer.data
    throw new Error(`${parameters['query'] ?? path}: ${answer.error ?? answer.status}`)
  }

  async #read(path: string): Promise<string> {
    const url = `${this.#url}${path}`
    if (this.#netns === undefined) return (await fetch(url)).text()
    const argv = ['netns', 'exec', this.#netns, 'curl', '--silent', '--max-time', '5', url]
    return (await promisify(execFile)('ip', argv, { maxBuffer: 16_777_216 })).stdout
  }
}

function configOf(scrapes: readonly object[], ruleFiles: readonly string[]): object {
  const every = `${scrapeIntervalSeconds}s`
  return {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: ruleFiles,
    scrape_configs: scrapes,
  }
}

function staticScrape(targets: readonly Target[]): object {
  return {
    job_name: 'watched',
    static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })),
  }
}
