/**
 * Splits an argument list into flags and words: `--flag value`, `--flag=value`, and `--` before words that begin with
 * a dash. Node's parseArgs splits; what is wrong is judged here, because parseArgs throws at the first surprise, suggests
 * nothing, and lets a flag be given twice. Knows nothing about what the flags mean.
 */
import { parseArgs } from 'node:util'
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

type FlagRules = Readonly<Record<string, FlagRule>>

/** @param rules by the flag's name, two dashes included */
export function readFlags(argv: readonly string[], rules: FlagRules): Flags {
  const flags: Flag[] = []
  const words: string[] = []
  for (const token of split(argv, rules)) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      if (token.value === '-' && !argv.slice(0, token.index).includes('--')) {
        return { ok: false, why: unknownFlag('-', rules) }
      }
      words.push(token.value)
      continue
    }
    const flag = readFlag(token, argv[token.index] ?? '', rules)
    if (!flag.ok) return flag
    const { name } = flag
    if (rules[name]?.repeats !== true && flags.some((earlier) => earlier.name === name)) {
      return { ok: false, why: `${name} is given twice; it may be given once` }
    }
    flags.push({ name, value: flag.value })
  }
  return { ok: true, flags, words }
}

function split(argv: readonly string[], rules: FlagRules) {
  const options = Object.fromEntries(
    Object.entries(rules).map(([name, { value }]) => {
      const type: 'string' | 'boolean' = value === undefined ? 'boolean' : 'string'
      return [name.slice(2), { type }]
    }),
  )
  return parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens
}

type Token = ReturnType<typeof split>[number]
type OptionToken = Extract<Token, { readonly kind: 'option' }>
type ReadFlag = ({ readonly ok: true } & Flag) | { readonly ok: false; readonly why: string }

/** @param written the argument that the token was made of: `-listen` becomes one token a letter */
function readFlag(token: OptionToken, written: string, rules: FlagRules): ReadFlag {
  const name = token.rawName
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) return { ok: false, why: unknownFlag(written, rules) }
  const { value, inlineValue } = token
  if (rule.value === undefined) {
    if (value === undefined) return { ok: true, name, value: '' }
    return { ok: false, why: `${name} takes no value, got ${JSON.stringify(value)}` }
  }
  // A flag behind a flag is a forgotten value, which parseArgs takes for one.
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('--'))) {
    return { ok: false, why: `${name} needs a value: ${name} ${rule.value}` }
  }
  return { ok: true, name, value }
}

function unknownFlag(written: string, rules: FlagRules): string {
  const [name = ''] = written.split('=', 1)
  const near = suggest(name, Object.keys(rules))
  const hint = near === undefined ? 'neardns --help lists all flags' : `did you mean ${near}?`
  return `unknown flag ${JSON.stringify(name)}; ${hint}`
}
