/** The command line: which verb is meant, and what the flags of `run` set. Never reads a file or a clock. */
import type { Override } from '../config/load.ts'
import { suggest } from '../config/suggest.ts'
import { type FlagRule, readFlags } from './flags.ts'

/** Verbs of this version. */
export const verbs = ['run', 'validate', 'query', 'explain', 'rules', 'import', 'demo'] as const
export type Verb = (typeof verbs)[number]

/** Part of the fixed command line, promised for later versions. */
const laterVerbs = ['check', 'top', 'cache', 'upstreams', 'doctor']

export type Command =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly argv: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'mistake'; readonly why: string }

/** @param argv without the interpreter and the script: `process.argv.slice(2)` */
export function readCommand(argv: readonly string[]): Command {
  const plain = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  if (plain.includes('--help') || plain.includes('-h') || plain[0] === 'help')
    return { kind: 'help' }
  if (plain[0] === '--version' || plain[0] === '-v' || plain[0] === 'version')
    return { kind: 'version' }
  const [first] = plain
  if (first === undefined || first.startsWith('-')) return { kind: 'verb', verb: 'run', argv }
  const verb = verbs.find((known) => known === first)
  if (verb !== undefined) return { kind: 'verb', verb, argv: argv.slice(1) }
  if (laterVerbs.includes(first)) {
    return {
      kind: 'mistake',
      why: `${first} is not in this version yet; there are ${verbs.join(', ')}`,
    }
  }
  const near = suggest(first, [...verbs, ...laterVerbs])
  const hint = near === undefined ? `there are ${verbs.join(', ')}` : `did you mean ${near}?`
  return { kind: 'mistake', why: `unknown command ${JSON.stringify(first)}; ${hint}` }
}

export interface RunArgs {
  readonly configFile?: string
  readonly overrides: readonly Override[]
}

export type ParsedRunArgs =
  | { readonly ok: true; readonly args: RunArgs }
  | { readonly ok: false; readonly why: string }

interface SettingFlag extends FlagRule {
  readonly path: Override['path']
}

/** The settings that have a flag of their own. */
export const settingFlags: Readonly<Record<string, SettingFlag>> = {
  '--listen': { value: 'IP:PORT', repeats: true, path: ['listen'] },
  '--cluster-domain': { value: 'DOMAIN', path: ['clusterDomain'] },
  '--cluster-upstream': { value: 'IP:PORT', repeats: true, path: ['cluster', 'upstreams'] },
  '--upstream': { value: 'IP:PORT', repeats: true, path: ['external', 'upstreams'] },
  '--admin': { value: 'IP:PORT', repeats: true, path: ['admin', 'listen'] },
  '--log-level': { value: 'LEVEL', path: ['log', 'level'] },
  '--io': { value: 'auto|portable|batched', path: ['io'] },
}

/** Parses what follows `run`. The values themselves are checked with the rest of the configuration. */
export function parseRunArgs(argv: readonly string[]): ParsedRunArgs {
  const read = readFlags(argv, { '--config': { value: 'FILE' }, ...settingFlags })
  if (!read.ok) return read
  const [word] = read.words
  if (word !== undefined) {
    return {
      ok: false,
      why: `run takes flags only, got ${JSON.stringify(word)}; see neardns --help`,
    }
  }
  const config = read.flags.find((flag) => flag.name === '--config')
  const overrides = read.flags.flatMap(({ name, value }) => {
    const flag = settingFlags[name]
    if (flag === undefined) return []
    return [{ flag: name, path: flag.path, value, isListItem: flag.repeats === true }]
  })
  return { ok: true, args: { ...(config && { configFile: config.value }), overrides } }
}
