/**
 * The server blocks of a Corefile with every directive read, or all that is wrong with them. Which directive has which reader is the table
 * below; a directive costs one file in `directives/` and a line in it.
 */
import type { CorefilePlace } from '../corefile/directive.ts'
import type { PlacedLabel, WordsBlock } from '../corefile/server-blocks.ts'
import type { CorefileToken } from '../corefile/tokens.ts'
import { Words } from '../corefile/words.ts'
import type { CompilePattern } from '../local/pattern/pattern.ts'
import { type BindDirective, readBind } from './directives/bind.ts'
import { readBufsize } from './directives/bufsize.ts'
import { type CacheDirective, readCache } from './directives/cache.ts'
import { readDebug } from './directives/debug.ts'
import { type Dns64Directive, readDns64 } from './directives/dns64.ts'
import { type DnstapDirective, readDnstap } from './directives/dnstap.ts'
import { type ErrorsDirective, readErrors } from './directives/errors.ts'
import { type ForwardDirective, readForward } from './directives/forward.ts'
import { type HealthDirective, readHealth } from './directives/health.ts'
import { type HostsDirective, readHosts } from './directives/hosts.ts'
import { readLoadbalance } from './directives/loadbalance.ts'
import { type LogRule, readLog } from './directives/log.ts'
import { readLoop } from './directives/loop.ts'
import { nameMistake } from './directives/names.ts'
import { type AdminPlace, readPrometheus } from './directives/prometheus.ts'
import { readReady } from './directives/ready.ts'
import { type ReloadDirective, readReload } from './directives/reload.ts'
import { type RewriteDirective, readRewrite } from './directives/rewrite.ts'
import { readTemplate, type TemplateDirective } from './directives/template.ts'
import { readTimeouts, type TimeoutsDirective } from './directives/timeouts.ts'
import { readMetadata, readPprof, readTrace } from './directives/unused.ts'
import { readWhoami, type WhoamiDirective } from './directives/whoami.ts'
import { type Complaint, DirectiveMistake, type Reading, type Remark } from './reading.ts'

export interface Directives {
  readonly bind: BindDirective
  /** Bytes. */
  readonly bufsize: number
  readonly cache: CacheDirective
  readonly debug: true
  readonly dns64: Dns64Directive
  readonly dnstap: readonly DnstapDirective[]
  readonly errors: ErrorsDirective
  readonly forward: readonly ForwardDirective[]
  readonly health: HealthDirective
  readonly hosts: HostsDirective
  readonly loadbalance: true
  readonly log: readonly LogRule[]
  readonly loop: true
  readonly metadata: true
  readonly pprof: true
  readonly prometheus: AdminPlace
  readonly ready: AdminPlace
  readonly reload: ReloadDirective
  readonly rewrite: readonly RewriteDirective[]
  readonly template: readonly TemplateDirective[]
  readonly timeouts: TimeoutsDirective
  readonly trace: true
  readonly whoami: WhoamiDirective
}

export interface Block extends CorefilePlace {
  readonly labels: readonly PlacedLabel[]
  /** Absent where the block has none of that name, or a wrong one. */
  readonly has: Partial<Directives>
}

export interface ReadBlocks {
  readonly blocks: readonly Block[]
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
}

type Readers = {
  readonly [K in keyof Directives]: (words: Words, reading: Reading) => Directives[K]
}

const readers: Readers = {
  bind: readBind,
  bufsize: readBufsize,
  cache: readCache,
  debug: readDebug,
  dns64: readDns64,
  dnstap: readDnstap,
  errors: readErrors,
  forward: readForward,
  health: readHealth,
  hosts: readHosts,
  loadbalance: readLoadbalance,
  log: readLog,
  loop: readLoop,
  metadata: readMetadata,
  pprof: readPprof,
  prometheus: readPrometheus,
  ready: readReady,
  reload: readReload,
  rewrite: readRewrite,
  template: readTemplate,
  timeouts: readTimeouts,
  trace: readTrace,
  whoami: readWhoami,
}

/** Directives that are understood. */
export const directiveNames = Object.keys(readers)

export function readBlocks(
  blocks: readonly WordsBlock[],
  compilePattern?: CompilePattern,
): ReadBlocks {
  const complaints: Complaint[] = []
  const notes: Remark[] = []
  const read = blocks.map(({ labels, directives, ...place }): Block => {
    const reading: Reading = {
      zones: labels.flatMap(({ zones }) => zones),
      compilePattern,
      note: (where, message) => notes.push({ ...where, message }),
    }
    const wordsOf = Map.groupBy(directives, ({ name }) => name)
    const has: Writable = {}
    for (const [name, all] of wordsOf) {
      const tokens = all.flatMap(({ words }) => words)
      const complaint = attempt(() => readDirective(has, name, { tokens, reading }))
      if (complaint !== undefined) complaints.push(complaint)
    }
    return { ...place, labels, has }
  })
  return { blocks: read, complaints, notes }
}

type Writable = { -readonly [K in keyof Directives]?: Directives[K] }

interface Given {
  readonly tokens: readonly CorefileToken[]
  readonly reading: Reading
}

function readDirective(has: Writable, name: string, { tokens, reading }: Given): void {
  const words = new Words(tokens)
  if (isRead(name)) return put(has, name, readers[name](words, reading))
  throw new DirectiveMistake({ ...words.place, ...nameMistake(name) })
}

function isRead(name: string): name is keyof Directives {
  return Object.hasOwn(readers, name)
}

function put<K extends keyof Directives>(has: Writable, name: K, value: Directives[K]): void {
  has[name] = value
}

/** @returns the mistake that `read` met */
export function attempt(read: () => void): Complaint | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof DirectiveMistake) return error.complaint
    throw error
  }
}
