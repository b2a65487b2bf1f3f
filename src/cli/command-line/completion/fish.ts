/** The completion script for fish, made of the definitions of the verbs. */
import type { FlagDefinition, VerbDefinition, WordDefinition } from '../definition.ts'

export function fishCompletion(verbs: readonly VerbDefinition[]): string {
  const lines = [
    ...verbs.map(({ name, what }) => line(['-n __neardns_wants_verb', `-a ${name}`], what)),
    line(['-n __neardns_wants_verb', '-a help'], 'what a verb does'),
    line([`-n '__neardns_at help 0'`, `-a ${quoted(verbs.map(({ name }) => name).join(' '))}`], ''),
    ...verbs.flatMap(verbLines),
  ]
  return `# fish completion for neardns: neardns completion fish | source
function __neardns_wants_verb
    test (count (commandline -opc)) -eq 1
end

# The verb that is typed; flags without a verb are those of run.
function __neardns_verb
    set -l typed (commandline -opc)
    if not set -q typed[2]; or string match -q -- '-*' $typed[2]
        echo run
    else
        echo $typed[2]
    end
end

function __neardns_is
    test (__neardns_verb) = $argv[1]
end

# Whether a verb is typed with so many words behind it. Values of flags are left out.
function __neardns_at
    __neardns_is $argv[1]; or return 1
    set -l at 0
    set -l skip 0
    set -l typed (commandline -opc)
    for word in $typed[3..-1]
        if test $skip -eq 1
            set skip 0
        else if contains -- $word $argv[3..-1]
            set skip 1
        else if not string match -q -- '-*' $word
            set at (math $at + 1)
        end
    end
    test $at -eq $argv[2]
end

complete -c neardns -f
${lines.join('\n')}
`
}

function verbLines({ name, flags, words }: VerbDefinition): string[] {
  const valued = Object.entries(flags).flatMap(([flag, { value }]) =>
    value === undefined ? [] : [flag],
  )
  return [
    ...Object.entries(flags).map(([flag, definition]) => flagLine(name, flag, definition)),
    line([`-n '__neardns_is ${name}'`, '-l help'], 'what the verb does'),
    ...words.flatMap((word, index) =>
      wordLines(`-n '__neardns_at ${[name, index, ...valued].join(' ')}'`, word),
    ),
  ]
}

function flagLine(
  verb: string,
  flag: string,
  { value, what, suggestions, isFile }: FlagDefinition,
): string {
  const parts = [`-n '__neardns_is ${verb}'`, `-l ${flag.slice(2)}`]
  if (value !== undefined) parts.push(isFile === true ? '-r -F' : '-x')
  if (suggestions !== undefined) parts.push(`-a ${quoted(suggestions.join(' '))}`)
  return line(parts, what)
}

function wordLines(condition: string, { choices, suggestions, isFile }: WordDefinition): string[] {
  if (isFile === true) return [line([condition, '-F'], '')]
  if (choices !== undefined) {
    return Object.entries(choices).map(([word, what]) => line([condition, `-a ${word}`], what))
  }
  return suggestions === undefined
    ? []
    : [line([condition, `-a ${quoted(suggestions.join(' '))}`], '')]
}

function line(parts: readonly string[], what: string): string {
  const description = what === '' ? '' : ` -d ${quoted(what)}`
  return `complete -c neardns ${parts.join(' ')}${description}`
}

/** In single quotes, where fish knows \\' and \\\\ alone. */
function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
