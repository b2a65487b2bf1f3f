/**
 * Splits an argument list into flags and words: `--flag value`, `--flag=value`, and `--` before words that begin with
 * a dash. Knows nothing about what the flags mean.
 */
import { suggest } from '../config/suggest.ts'

/** What a flag takes. */
export interface FlagRule {
  /** How the value is called in messages: `IP:PORT`; absent for a switch. */
  readonly value?: string
  readonly repeats?: boolean
}

export interface Flag {
  /** With its dashes. */
  readonly name: string
  /** Empty for a switch. */
  readonly value: string
}

export type Flags =
  | { readonly ok: true; readonly flags: readonly Flag[]; readonly words: readonly string[] }
  | { readonly ok: false; readonly why: string }

export function readFlags(
  argv: readonly string[],
  rules: Readonly<Record<string, FlagRule>>,
): Flags {
  const flags: Flag[] = []
  const words: string[] = []
  for (let i = 0; i < argv.length; ) {
    const argument = argv[i] ?? ''
    if (argument === '--') return { ok: true, flags, words: [...words, ...argv.slice(i + 1)] }
    if (!argument.startsWith('-')) {
      words.push(argument)
      i += 1
      continue
    }
    const read = readFlag(argument, argv[i + 1], rules)
    if (!read.ok) return read
    const { name } = read.flag
    if (rules[name]?.repeats !== true && flags.some((flag) => flag.name === name)) {
      return { ok: false, why: `${name} is given twice; it may be given once` }
    }
    flags.push(read.flag)
    i += read.used
  }
  return { ok: true, flags, words }
}

type ReadFlag =
  | { readonly ok: true; readonly flag: Flag; readonly used: number }
  | { readonly ok: false; readonly why: string }

function readFlag(
  argument: string,
  next: string | undefined,
  rules: Readonly<Record<string, FlagRule>>,
): ReadFlag {
  const [name, inline] = splitInline(argument)
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) return { ok: false, why: unknownFlag(name, Object.keys(rules)) }
  if (rule.value === undefined) {
    if (inline === undefined) return { ok: true, flag: { name, value: '' }, used: 1 }
    return { ok: false, why: `${name} takes no value, got ${JSON.stringify(inline)}` }
  }
  // A flag behind a flag is a forgotten value.
  const value = inline ?? (next?.startsWith('--') ? undefined : next)
  if (value === undefined || value === '') {
    return { ok: false, why: `${name} needs a value: ${name} ${rule.value}` }
  }
  return { ok: true, flag: { name, value }, used: inline === undefined ? 2 : 1 }
}

function splitInline(argument: string): [string, string | undefined] {
  const equals = argument.indexOf('=')
  return equals < 0
    ? [argument, undefined]
    : [argument.slice(0, equals), argument.slice(equals + 1)]
}

function unknownFlag(name: string, known: readonly string[]): string {
  const near = suggest(name, known)
  const hint = near === undefined ? 'neardns --help lists all flags' : `did you mean ${near}?`
  return `unknown flag ${JSON.stringify(name)}; ${hint}`
}
