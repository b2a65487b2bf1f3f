/** The completion script for zsh, made of the definitions of the verbs. */
import type { FlagDefinition, VerbDefinition, WordDefinition } from '../definition.ts'

export function zshCompletion(verbs: readonly VerbDefinition[]): string {
  return `#compdef neardns
# zsh completion for neardns: source <(neardns completion zsh), or this file as _neardns in fpath
_neardns() {
  local -a verbs
  verbs=(
${verbs.map(({ name, what }) => `    ${quoted(`${name}:${what}`)}`).join('\n')}
    'help:what a verb does'
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t commands command verbs
    return
  fi
  local verb=run
  # Flags without a verb are those of run.
  if [[ $words[2] != -* ]]; then
    verb=$words[2]
    shift words
    (( CURRENT -= 1 ))
  fi
  case $verb in
${verbs.map(verbCase).join('\n')}
    help) (( CURRENT == 2 )) && _describe -t commands command verbs ;;
  esac
}
if [[ $funcstack[1] == _neardns ]]; then _neardns "$@"; else compdef _neardns neardns; fi
`
}

function verbCase({ name, flags, words }: VerbDefinition): string {
  const specs = [
    ...Object.entries(flags).map(([flag, definition]) => flagSpec(flag, definition)),
    "'--help[what the verb does]'",
    ...words.map(wordSpec),
  ]
  return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')}\n      ;;`
}

function flagSpec(
  flag: string,
  { value, what, repeats, suggestions, isFile }: FlagDefinition,
): string {
  const many = repeats === true ? '*' : ''
  const text = `[${bracketed(what)}]`
  if (value === undefined) return quoted(`${many}${flag}${text}`)
  return quoted(`${many}${flag}=${text}:${coloned(value)}:${action(suggestions, isFile)}`)
}

function wordSpec(
  { name, choices, suggestions, isFile, isOptional }: WordDefinition,
  index: number,
): string {
  const colons = isOptional === true ? '::' : ':'
  const described = Object.entries(choices ?? {}).map(
    ([word, what]) => `${word}\\:${coloned(what).replaceAll(/[\s"()$[\]<>]/g, '\\$&')}`,
  )
  const offered = choices === undefined ? action(suggestions, isFile) : `((${described.join(' ')}))`
  return quoted(`${index + 1}${colons}${name}:${offered}`)
}

function action(suggestions: readonly string[] | undefined, isFile: boolean | undefined): string {
  if (isFile === true) return '_files'
  return suggestions === undefined ? ' ' : `(${suggestions.join(' ')})`
}

function coloned(text: string): string {
  return text.replaceAll(':', '\\:')
}

function bracketed(text: string): string {
  return text.replaceAll(/[[\]]/g, '\\$&')
}

/** For the shell: in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
