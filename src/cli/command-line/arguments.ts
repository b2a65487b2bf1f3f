/** What follows a verb, read by the verb's definition: words and flags, or the one line that says what is wrong. */
import { suggest } from '../../config/suggest.ts'
import { usageText, type VerbDefinition, type WordDefinition } from './definition.ts'
import { type Flag, readFlags } from './flags.ts'
import { definitionOf, type Verb } from './verbs.ts'

export interface Arguments {
  readonly words: readonly string[]
  readonly flags: readonly Flag[]
  /** @returns the flag's value, empty for a switch; undefined when it is not given */
  flag(name: string): string | undefined
  /** @returns the number of a flag that takes one; undefined when it is not given */
  number(name: string): number | undefined
  has(name: string): boolean
}

export type ReadArguments =
  | ({ readonly ok: true } & Arguments)
  | { readonly ok: false; readonly why: string }

export function readArguments(verb: Verb, argv: readonly string[]): ReadArguments {
  const definition = definitionOf(verb)
  const read = readFlags(argv, definition.flags, {
    help: `neardns ${verb} --help`,
    takesDash: definition.words.some(({ isFile }) => isFile === true),
  })
  if (!read.ok) return read
  const why = wrongWords(definition, read.words)
  if (why !== undefined) return { ok: false, why }
  const { words, flags } = read
  const flag = (name: string) => flags.find((one) => one.name === name)?.value
  const number = (name: string) => {
    const text = flag(name)
    return text === undefined ? undefined : Number(text)
  }
  return { ok: true, words, flags, flag, number, has: (name) => flag(name) !== undefined }
}

function wrongWords(verb: VerbDefinition, words: readonly string[]): string | undefined {
  const missing = verb.words[words.length]
  if (missing !== undefined && missing.isOptional !== true) {
    const what = missing.choices === undefined ? missing.name : oneOf(missing.choices)
    return `${verb.name} needs ${what}: ${usageText(verb)}`
  }
  const extra = words[verb.words.length]
  if (extra !== undefined) {
    return `${verb.name} does not take the word ${JSON.stringify(extra)}: ${usageText(verb)}`
  }
  // An optional word may be another thing than a file, so the verb itself judges it.
  const nameless = verb.words.find(
    ({ isFile, isOptional }, at) => isFile === true && isOptional !== true && words[at] === '',
  )
  if (nameless !== undefined)
    return `${verb.name} needs ${nameless.name}, got "": ${usageText(verb)}`
  return verb.words
    .map((word, index) => wrongChoice(verb, word, words[index]))
    .find((why) => why !== undefined)
}

function wrongChoice(
  { name }: VerbDefinition,
  { choices }: WordDefinition,
  given: string | undefined,
): string | undefined {
  if (choices === undefined || given === undefined || Object.hasOwn(choices, given))
    return undefined
  const near = suggest(given, Object.keys(choices))
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return `${name} takes ${oneOf(choices)}, got ${JSON.stringify(given)}${hint}`
}

function oneOf(choices: Readonly<Record<string, string>>): string {
  return `one of ${Object.keys(choices).join(', ')}`
}
