/** What a verb of the command line is: its words, flags and texts, from which help, completion and the man page are made. */
import type { FlagRule } from './flags.ts'

export interface WordDefinition {
  /** As in the usage: `NAME`. */
  readonly name: string
  readonly isOptional?: boolean
  /** The only words that may stand here, with what each does. */
  readonly choices?: Readonly<Record<string, string>>
  /** Offered by the shell; others are taken as well. */
  readonly suggestions?: readonly string[]
  readonly isFile?: boolean
}

export interface FlagDefinition extends FlagRule {
  /** One line without a full stop. */
  readonly what: string
  /** What holds without the flag, for the help. */
  readonly otherwise?: string
  /** Offered by the shell; the verb itself judges the value. */
  readonly suggestions?: readonly string[]
  readonly isFile?: boolean
}

export type FlagDefinitions = Readonly<Record<`--${string}`, FlagDefinition>>

export interface VerbDefinition<Name extends string = string> {
  readonly name: Name
  /** One line of at most 58 characters for the overview, without a full stop. */
  readonly what: string
  /** In the order in which they are typed; optional ones last. */
  readonly words: readonly WordDefinition[]
  readonly flags: FlagDefinitions
  /** What a person should know besides; one paragraph each. The help of a verb has 24 lines in all. */
  readonly about?: readonly string[]
  /** Command lines without `neardns`. */
  readonly examples: readonly string[]
  /** Where the meaning differs from the usual one: 0 fine, 1 failed, 2 wrong command line or configuration. */
  readonly exits?: string
}

/** Flags that several verbs have. */
export const configFlag: FlagDefinition = {
  value: 'FILE',
  what: 'configuration (YAML)',
  isFile: true,
}
export const jsonFlag: FlagDefinition = { what: 'print JSON' }
export const clusterUpstreamFlag: FlagDefinition = {
  value: 'IP:PORT',
  repeats: true,
  what: 'CoreDNS; TCP unless udp://, tls://',
}

/** Exit codes of check and doctor. */
export const diagnosisExits = '0 all fine, 1 faults, 2 could not look'

/** Where a running daemon is asked. */
export const adminFlags = {
  '--admin': {
    value: 'SOCKET|IP:PORT',
    what: 'whom to ask',
    otherwise: '/run/neardns/admin.sock',
    isFile: true,
  },
  '--token-file': {
    value: 'FILE',
    what: 'over HTTP: token of admin.tokenFile',
    isFile: true,
  },
} as const satisfies FlagDefinitions

/** @returns for example `NAME [TYPE]` */
export function wordsText(words: readonly WordDefinition[]): string {
  return words
    .map(({ name, isOptional, choices }) => {
      const text = choices === undefined ? name : Object.keys(choices).join('|')
      return isOptional === true ? `[${text}]` : text
    })
    .join(' ')
}

/** @returns for example `neardns query NAME [TYPE] [flags]` */
export function usageText({ name, words, flags }: VerbDefinition): string {
  const hasFlags = Object.keys(flags).length > 0
  return ['neardns', name, wordsText(words), hasFlags ? '[flags]' : '']
    .filter((part) => part !== '')
    .join(' ')
}
