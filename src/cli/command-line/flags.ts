/**
 * Splits an argument list into flags and words: `--flag value`, `--flag=value`, and `--` before words that begin with
 * a dash. Node's parseArgs splits; what is wrong is judged here, because parseArgs throws at the first surprise, suggests
 * nothing, and lets a flag be given twice. Knows nothing about what the flags mean.
 */
import { parseArgs } from 'node:util'
import { suggest } from '../../config/suggest.ts'
import { type NumberRule, wrongNumber } from './number-flag.ts'

/** What a flag takes. */
export interface FlagRule {
  /** How the value is called in messages: `IP:PORT`; absent for a switch. */
  readonly value?: string
  readonly repeats?: boolean
  /** Its value is a number within these bounds. */
  readonly number?: NumberRule
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

export interface ReadFlagsOptions {
  /** The command that lists the flags. */
  readonly help?: string
  /** A single dash is a word: standard input. */
  readonly takesDash?: boolean
}

/** @param rules by the flag's name, two dashes included */
export function readFlags(
  argv: readonly string[],
  rules: FlagRules,
  { help = 'neardns --help', takesDash = false }: ReadFlagsOptions = {},
): Flags {
  const flags: Flag[] = []
  const words: string[] = []
  for (const token of split(argv, rules)) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional' && (takesDash || !isBareDash(argv, token.index))) {
      words.push(token.value)
      continue
    }
    const flag = token.kind === 'option' ? readFlag(token, rules) : undefined
    if (flag === undefined) {
      return { ok: false, why: unknownFlag(argv[token.index] ?? '', rules, help) }
    }
    if (!flag.ok) return flag
    flags.push({ name: flag.name, value: flag.value })
  }
  const twice = givenTwice(flags, rules)
  if (twice !== undefined)
    return { ok: false, why: `${twice} is given twice; it may be given once` }
  return { ok: true, flags, words }
}

/** Behind `--` a dash is a word like others. */
function isBareDash(argv: readonly string[], index: number): boolean {
  return argv[index] === '-' && !argv.slice(0, index).includes('--')
}

function givenTwice(flags: readonly Flag[], rules: FlagRules): string | undefined {
  const names = flags.map(({ name }) => name)
  return names.find((name, index) => rules[name]?.repeats !== true && names.indexOf(name) < index)
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

/** @returns undefined when there is no such flag */
function readFlag(token: OptionToken, rules: FlagRules): ReadFlag | undefined {
  const name = token.rawName
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) return undefined
  const { value, inlineValue } = token
  if (rule.value === undefined) {
    if (value === undefined) return { ok: true, name, value: '' }
    return { ok: false, why: `${name} takes no value, got ${JSON.stringify(value)}` }
  }
  // A flag behind a flag is a forgotten value, which parseArgs takes for one.
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('--'))) {
    return { ok: false, why: `${name} needs a value: ${name} ${rule.value}` }
  }
  const why = rule.number && wrongNumber(name, value, rule.number)
  return why === undefined ? { ok: true, name, value } : { ok: false, why }
}

/** @param written the argument that the token was made of: `-listen` becomes one token a letter */
function unknownFlag(written: string, rules: FlagRules, help: string): string {
  const [name = ''] = written.split('=', 1)
  const near = suggest(name, Object.keys(rules))
  const hint = near === undefined ? `${help} lists all flags` : `did you mean ${near}?`
  return `unknown flag ${JSON.stringify(name)}; ${hint}`
}
