/**
 * Splits a Corefile into server blocks whose directives are lists of words, as the parser of CoreDNS does: labels, braces, snippets, imports
 * and, if asked to, environment variables. Pure and total: any text gives blocks or problems, in bounded time and memory.
 * Knows no plugin, and does not arrange the words of a directive: `directive.ts` and `words.ts` do. Facts: parser of
 * github.com/coredns/caddy v1.1.4, plugin/normalize.go of CoreDNS v1.14.7; test/corefile/coredns.test.ts asks the program.
 */
import { type CorefilePlace, type CorefileProblem, placeOf, spotOf } from './directive.ts'
import { type Environment, expandEnvironment } from './environment.ts'
import { type CorefileFiles, hasManyWildcards, noFiles } from './files.ts'
import { type CorefileLabel, parseCorefileLabel } from './label.ts'
import {
  type CorefileToken,
  depthChange,
  onLaterLine,
  onSameLine,
  readsEnvironment,
  tokenizeCorefile,
} from './tokens.ts'

/** Splits a whole Corefile. Reading stops at the first mistake in the grammar, as it does in CoreDNS. */
export function parseServerBlocks(
  text: string,
  { files = noFiles, environment }: CorefileSurroundings = {},
): ServerBlocksResult {
  if (text.length > charactersMax) {
    return {
      ok: false,
      problems: [{ line: 1, message: `longer than ${charactersMax} characters` }],
    }
  }
  return new ServerBlockParser(tokenizeCorefile(text), files, environment).parse()
}

/** What a Corefile takes from where it is read. */
export interface CorefileSurroundings {
  /** Absent: nothing can be imported. */
  readonly files?: CorefileFiles
  /** Absent: variables stay as written. */
  readonly environment?: Environment
}

export interface WordsBlock extends CorefilePlace {
  readonly labels: readonly PlacedLabel[]
  /** In the order of the file. */
  readonly directives: readonly DirectiveWords[]
}

export interface PlacedLabel extends CorefileLabel {
  readonly place: CorefilePlace
}

export interface DirectiveWords {
  readonly name: string
  /** The name and all that follows it, braces included, which are balanced. */
  readonly words: readonly CorefileToken[]
}

export interface ImportPattern extends CorefilePlace {
  /** File or glob, relative to the Corefile's directory unless it begins with `/`. */
  readonly pattern: string
}

export type ServerBlocksResult =
  | {
      readonly ok: true
      readonly blocks: readonly WordsBlock[]
      /** The content of these files is missing in `blocks`: directives, or whole server blocks. */
      readonly unresolvedImports: readonly ImportPattern[]
      /** Patterns that match no file, which is fine with CoreDNS. */
      readonly emptyImports: readonly ImportPattern[]
    }
  | { readonly ok: false; readonly problems: readonly CorefileProblem[] }

/** A ConfigMap holds 1 MiB. */
const charactersMax = 1 << 20
/** Snippets that import snippets can grow without end; CoreDNS stops at 10,000 imports. */
const importsMax = 1000
const tokensMax = 100_000

/** Thrown inside the parser only. */
class GrammarMistake extends Error {
  readonly problem: CorefileProblem

  constructor(at: CorefilePlace, message: string) {
    super(message)
    this.problem = { ...at, message }
  }
}

class ServerBlockParser {
  private tokens: readonly CorefileToken[]
  /** Index of the current token. */
  private at = 0
  private imports = 0
  private readonly snippets = new Map<string, readonly CorefileToken[]>()
  private readonly blocks: WordsBlock[] = []
  private readonly unresolvedImports: ImportPattern[] = []
  private readonly emptyImports: ImportPattern[] = []
  private readonly files: CorefileFiles
  private readonly environment: Environment | undefined

  constructor(
    tokens: readonly CorefileToken[],
    files: CorefileFiles,
    environment: Environment | undefined,
  ) {
    this.tokens = tokens
    this.files = files
    this.environment = environment
  }

  parse(): ServerBlocksResult {
    try {
      this.checkSize(0)
      while (this.at < this.tokens.length) this.serverBlock()
    } catch (error) {
      if (error instanceof GrammarMistake) return { ok: false, problems: [error.problem] }
      throw error
    }
    const { blocks, unresolvedImports, emptyImports } = this
    return { ok: true, blocks, unresolvedImports, emptyImports }
  }

  /** A server block or a snippet's definition. Ends behind it. */
  private serverBlock(): void {
    const place = this.token ? placeOf(this.token) : { line: 1 }
    const words = this.labels()
    const name = snippetName(words)
    if (name !== undefined && this.token !== undefined) {
      this.define(name)
      return
    }
    const braced = this.token?.text === '{'
    if (braced) this.at++
    const directives = this.directives(braced)
    // CoreDNS silently ignores braces without a label.
    if (words.length > 0) this.blocks.push({ ...place, labels: words.map(readLabel), directives })
  }

  /** Words up to `{`, the end of their line (a comma carries it on), or the end of the text. */
  private labels(): CorefileToken[] {
    const words: CorefileToken[] = []
    const promised = () => words.at(-1)?.text.endsWith(',') === true
    while (this.token !== undefined && this.token.text !== '{') {
      if (this.token.text === 'import' && this.beginsLine()) {
        this.import()
        continue
      }
      const word = this.expanded(this.token)
      if (word.text !== '') words.push(word)
      this.at++
      if (!promised() && this.beginsLine()) break
    }
    if (promised()) mistake(words.at(-1), 'a "," promises one more zone, and none follows')
    return words.map((word) => ({ ...word, text: word.text.replace(/,$/, '') }))
  }

  private define(name: string): void {
    const opened = this.token
    if (this.snippets.has(name)) mistake(opened, `the snippet (${name}) is there already`)
    if (opened?.text !== '{') mistake(opened, `the snippet (${name}) needs a block: (${name}) {`)
    const start = ++this.at
    for (let depth = 1; depth > 0; this.at++) {
      if (this.token === undefined) {
        mistake(opened, `the snippet (${name}) has no end; a "}" is missing`)
      }
      depth += depthChange(this.token)
    }
    const tokens = this.tokens.slice(start, this.at - 1)
    const own = tokens.find((_, i) => importsAt(tokens, i) && tokens[i + 1]?.text === name)
    if (own) mistake(own, `the snippet (${name}) imports itself`)
    this.snippets.set(name, tokens)
  }

  /** Directives up to the `}` of the server block, or to the end of the text without braces. Ends behind it. */
  private directives(braced: boolean): DirectiveWords[] {
    const directives: DirectiveWords[] = []
    for (let token = this.token; token !== undefined; token = this.token) {
      if (token.text === '}') {
        this.at++
        return directives
      }
      if (token.text === 'import') {
        this.import()
        continue
      }
      const name = this.expanded(token)
      checkDirectiveName(name)
      directives.push({ name: name.text, words: this.directive(name) })
    }
    // CoreDNS looks at the last word only, so the brace of the last directive's block may close the server block.
    const last = this.tokens.at(-1)
    const open = braced && last?.text !== '}'
    if (open) mistake(last, 'the file ends within a block; a "}" is missing')
    return directives
  }

  /** The words of one directive: its line, and further lines while a brace is open. */
  private directive(name: CorefileToken): CorefileToken[] {
    const words = [name]
    let depth = 0
    this.at++
    for (let token = this.token; token !== undefined; token = this.token) {
      if (depth === 0 && token.text !== '{' && this.beginsLine()) return words
      if (token.text === 'import' && this.beginsLine()) {
        this.import()
        continue
      }
      depth += depthChange(token)
      if (depth < 0) mistake(token, 'a "}" that nothing opened; it needs a line of its own')
      words.push(this.expanded(token))
      this.at++
    }
    if (depth > 0) mistake(name, `the block of "${name.text}" has no end; a "}" is missing`)
    return words
  }

  /** Puts the words of a snippet or of files in place of `import NAME`; the current token is the first of them afterwards. */
  private import(): void {
    const [keyword, written, more] = this.tokens.slice(this.at, this.at + 3)
    const name = written && this.expanded(written)
    if (keyword === undefined || name === undefined || !onSameLine(keyword, name) || !name.text) {
      mistake(keyword, '"import" needs the name of a snippet or file')
    }
    if (more && onSameLine(name, more)) mistake(name, '"import" takes one snippet, file or pattern')
    if (++this.imports > importsMax) mistake(name, `more than ${importsMax} imports`)
    const words = this.snippets.get(name.text) ?? this.importedFiles(name)
    this.checkSize(words.length)
    const before = this.tokens.slice(0, this.at)
    this.tokens = [...before, ...words, ...this.tokens.slice(this.at + 2)]
  }

  private importedFiles(name: CorefileToken): readonly CorefileToken[] {
    const pattern = name.text
    if (hasManyWildcards(pattern)) {
      mistake(name, `${JSON.stringify(pattern.slice(0, 80))}: a pattern may have one wildcard`)
    }
    const found = readsEnvironment(pattern)
      ? undefined
      : this.files.imported(pattern, name.file ?? '')
    if (found === undefined) this.unresolvedImports.push({ ...spotOf(name), pattern })
    if (found?.length === 0) this.emptyImports.push({ ...spotOf(name), pattern })
    return (found ?? []).flatMap(({ path, text }) =>
      tokenizeCorefile(text).map((token) => ({ ...token, file: path })),
    )
  }

  private expanded(token: CorefileToken): CorefileToken {
    if (this.environment === undefined || !readsEnvironment(token.text)) return token
    const text = expandEnvironment(token.text, this.environment)
    return { ...token, text, lastLine: token.line + text.split('\n').length - 1 }
  }

  private checkSize(added: number): void {
    if (this.tokens.length + added <= tokensMax) return
    mistake(this.token, `more than ${tokensMax} words, those of imported snippets included`)
  }

  private get token(): CorefileToken | undefined {
    return this.tokens[this.at]
  }

  private beginsLine(): boolean {
    const before = this.tokens[this.at - 1]
    const token = this.token
    return before === undefined || (token !== undefined && onLaterLine(before, token))
  }
}

const directiveName = /^[A-Za-z0-9_-]+$/

/** CoreDNS has a list of names, all of this form. */
function checkDirectiveName(name: CorefileToken): void {
  if (directiveName.test(name.text) || readsEnvironment(name.text)) return
  const what = JSON.stringify(name.text.slice(0, 80))
  mistake(name, `${what} cannot be a directive; is the "}" of the block before missing?`)
}

function snippetName(words: readonly CorefileToken[]): string | undefined {
  const [word] = words
  return words.length === 1 && word !== undefined ? /^\((.*)\)$/s.exec(word.text)?.[1] : undefined
}

function readLabel(word: CorefileToken): PlacedLabel {
  const label = parseCorefileLabel(word.text, word.line)
  if (!label.ok) throw new GrammarMistake(spotOf(word), label.why)
  return { ...label.value, place: spotOf(word) }
}

function importsAt(tokens: readonly CorefileToken[], index: number): boolean {
  const before = tokens[index - 1]
  const token = tokens[index]
  if (token?.text !== 'import') return false
  return before === undefined || before.line !== token.line || before.file !== token.file
}

function mistake(at: CorefileToken | undefined, message: string): never {
  throw new GrammarMistake(at ? spotOf(at) : { line: 1 }, message)
}
