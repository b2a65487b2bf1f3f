/** The completion script for bash (4 and newer, without the package bash-completion), made of the definitions of the verbs. */
import type { VerbDefinition, WordDefinition } from '../definition.ts'

export function bashCompletion(verbs: readonly VerbDefinition[]): string {
  const names = [...verbs.map(({ name }) => name), 'help']
  return `# bash completion for neardns: source <(neardns completion bash)
_neardns_offer() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_neardns_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }

_neardns() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]} word at=0 i
  COMPREPLY=()
  # bash takes = for a word of its own.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then _neardns_offer '${names.join(' ')}'; return; fi
  if [[ $verb == help ]]; then _neardns_offer '${names.slice(0, -1).join(' ')}'; return; fi
  # Flags without a verb are those of run.
  if [[ $verb == -* ]]; then verb=run; fi
  case $verb:$prev in
${verbs.flatMap(valueCases).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case $verb in
${verbs.map(({ name, flags }) => `      ${name}) _neardns_offer '${[...Object.keys(flags), '--help'].join(' ')}' ;;`).join('\n')}
    esac
    return
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $verb:$word in
${verbs.flatMap(valuedFlags).join('\n')}
      *:-*) ;;
      *) ((at += 1)) ;;
    esac
  done
  case $verb:$at in
${verbs.flatMap(wordCases).join('\n')}
  esac
}
complete -F _neardns neardns
`
}

/** What to offer behind a flag that takes a value. */
function valueCases({ name, flags }: VerbDefinition): string[] {
  return Object.entries(flags).flatMap(([flag, { value, suggestions, isFile }]) => {
    if (value === undefined) return []
    const action = offer(suggestions, isFile)
    const text = action === '' ? '' : `${action.trim()}; `
    return [`    ${name}:${flag}) ${text}return ;;`]
  })
}

/** \`--flag VALUE\` and \`--flag = VALUE\`: the value is no word of the verb. */
function valuedFlags({ name, flags }: VerbDefinition): string[] {
  const valued = Object.entries(flags).filter(([, { value }]) => value !== undefined)
  if (valued.length === 0) return []
  const patterns = valued.map(([flag]) => `${name}:${flag}`).join(' | ')
  return [`      ${patterns}) ((i += 1)); if [[ \${COMP_WORDS[i]} == = ]]; then ((i += 1)); fi ;;`]
}

function wordCases({ name, words }: VerbDefinition): string[] {
  return words.flatMap(({ choices, suggestions, isFile }: WordDefinition, index) => {
    const text = offer(choices === undefined ? suggestions : Object.keys(choices), isFile)
    return text === '' ? [] : [`    ${name}:${index}) ${text};;`]
  })
}

function offer(texts: readonly string[] | undefined, isFile: boolean | undefined): string {
  if (isFile === true) return '_neardns_files '
  return texts === undefined ? '' : `_neardns_offer '${texts.join(' ')}' `
}
