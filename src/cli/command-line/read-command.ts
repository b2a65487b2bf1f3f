/** Which verb a command line means. Never reads a file or a clock. */
import { suggest } from '../../config/suggest.ts'
import { type Verb, verbs } from './verbs.ts'

/** Part of the fixed command line, promised for later versions. */
const laterVerbs = ['upstreams']

export type Command =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly argv: readonly string[] }
  /** Without a verb: the overview. */
  | { readonly kind: 'help'; readonly verb: Verb | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'mistake'; readonly why: string }

/** @param argv without the interpreter and the script: `process.argv.slice(2)` */
export function readCommand(argv: readonly string[]): Command {
  const plain = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const wantsHelp = plain.includes('--help') || plain.includes('-h')
  const [first, second] = plain
  if (first === 'help') return helpOn(second)
  if (first === '--help' || first === '-h') return { kind: 'help', verb: undefined }
  if (first === '--version' || first === '-v' || first === 'version') return { kind: 'version' }
  // Flags without a verb are those of `run`.
  if (first === undefined || first.startsWith('-')) {
    return wantsHelp ? { kind: 'help', verb: 'run' } : { kind: 'verb', verb: 'run', argv }
  }
  const verb = verbNamed(first)
  if (verb === undefined) return { kind: 'mistake', why: unknownVerb(first) }
  return wantsHelp ? { kind: 'help', verb } : { kind: 'verb', verb, argv: argv.slice(1) }
}

/** `neardns help`, `neardns help VERB`, `neardns help --help`. */
function helpOn(word: string | undefined): Command {
  if (word === undefined || word.startsWith('-') || word === 'help') {
    return { kind: 'help', verb: undefined }
  }
  const verb = verbNamed(word)
  return verb === undefined ? { kind: 'mistake', why: unknownVerb(word) } : { kind: 'help', verb }
}

function verbNamed(word: string): Verb | undefined {
  return verbs.find(({ name }) => name === word)?.name
}

function unknownVerb(word: string): string {
  if (laterVerbs.includes(word)) return `${word} is not in this version yet; ${knownVerbs()}`
  const near = suggest(word, [...verbs.map(({ name }) => name), ...laterVerbs, 'help', 'version'])
  const hint = near === undefined ? knownVerbs() : `did you mean ${near}?`
  return `unknown command ${JSON.stringify(word)}; ${hint}`
}

function knownVerbs(): string {
  return `there are ${verbs.map(({ name }) => name).join(', ')}; neardns --help says what they do`
}
