/**
 * Command lines as Go's `flag` package reads them: `-x`, `--x`, `-x=v`, `-x v`; a switch takes a value only after `=`; the next argument
 * is the value whatever it looks like; the last of several counts; the first word without a dash ends the flags. Knows no flag itself.
 * Source: flag.FlagSet.parseOne and strconv.ParseBool of Go 1.26.
 */
import { suggest } from '../config/suggest.ts'

export interface GoFlag {
  readonly name: string
  /** For a switch `true` or `false`, whichever way it was written. */
  readonly value: string
}

/** Names of flags, without dashes. */
export interface GoFlagRules {
  readonly texts: ReadonlySet<string>
  readonly switches: ReadonlySet<string>
  /** What to do about a flag that is none of these, by its name; without an entry the nearest name is suggested. */
  readonly foreign: ReadonlyMap<string, string>
}

export type GoFlags =
  | { readonly ok: true; readonly flags: readonly GoFlag[]; readonly isHelp: boolean }
  | { readonly ok: false; readonly why: string }

const trueTexts = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falseTexts = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** @param argv without the program's name */
export function readGoFlags(argv: readonly string[], rules: GoFlagRules): GoFlags {
  const flags: GoFlag[] = []
  const left = [...argv]
  while (isFlag(left[0])) {
    const read = readOne(left, rules)
    if (read === 'help') return { ok: true, flags, isHelp: true }
    if (typeof read === 'string') return { ok: false, why: read }
    flags.push(read)
  }
  const [extra] = left[0] === '--' ? left.slice(1) : left
  return extra === undefined
    ? { ok: true, flags, isHelp: false }
    : { ok: false, why: `extra argument ${JSON.stringify(extra)}; expected flags only` }
}

function isFlag(argument: string | undefined): boolean {
  return argument?.startsWith('-') === true && argument !== '-' && argument !== '--'
}

/**
 * Takes one flag and its value.
 * @param left arguments that are not read yet; those that are read are removed
 * @returns `help`, or what is wrong
 */
function readOne(left: string[], rules: GoFlagRules): GoFlag | string {
  const written = left.shift() ?? ''
  const { name, value } = split(written)
  if (/^(-|=|$)/.test(name)) {
    return `${JSON.stringify(written)} is no flag; write one or two dashes and a name`
  }
  if (rules.switches.has(name)) return readSwitch(name, value)
  if (rules.texts.has(name)) return readText(name, value ?? left.shift())
  return name === 'h' || name === 'help' ? 'help' : unknownFlag(name, rules)
}

interface Split {
  readonly name: string
  /** Undefined without `=`. */
  readonly value: string | undefined
}

function split(argument: string): Split {
  const text = argument.replace(/^--?/, '')
  // A flag that begins with `=` is none; the sign is looked for from the second character on.
  const sign = text.indexOf('=', 1)
  return sign < 0
    ? { name: text, value: undefined }
    : { name: text.slice(0, sign), value: text.slice(sign + 1) }
}

function readText(name: string, value: string | undefined): GoFlag | string {
  return value === undefined ? `-${name} needs a value` : { name, value }
}

function readSwitch(name: string, value: string | undefined): GoFlag | string {
  if (value === undefined || trueTexts.has(value)) return { name, value: 'true' }
  if (falseTexts.has(value)) return { name, value: 'false' }
  return `-${name}=${value}: ${JSON.stringify(value)} is neither true nor false`
}

function unknownFlag(name: string, { texts, switches, foreign }: GoFlagRules): string {
  const near = suggest(name, [...texts, ...switches])
  const advice =
    foreign.get(name) ??
    (near === undefined ? 'leave it out; -help lists all flags' : `did you mean -${near}?`)
  return `unknown flag "-${name}"; ${advice}`
}
