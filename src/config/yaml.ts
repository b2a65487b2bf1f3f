/**
 * Parses YAML text to a plain value, with the position of every part. Owner of the yaml package. Its traps: a key `__proto__`
 * becomes an ordinary own property (good: it is then reported as unknown); aliases are expanded when the value is made, so their
 * number is bounded; an unknown tag is only a warning there, but a mistake here.
 */
import {
  type Alias,
  Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import type { Path } from './problem.ts'
import { wording } from './yaml-wording.ts'

/** Both count from 1, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface YamlMistake extends Position {
  readonly message: string
}

export type YamlResult =
  | {
      readonly ok: true
      /** Plain objects, arrays and scalars; undefined for an empty text. */
      readonly value: unknown
      /**
       * Position of the value at `path`, or of its key. Sections and empty values are always at their key. When `path` does not
       * exist: its last part that does.
       */
      locate(path: Path, part: 'key' | 'value'): Position
      /** Whether something is written at `path`. */
      has(path: Path): boolean
    }
  | { readonly ok: false; readonly mistakes: readonly YamlMistake[] }

/** A file with 256 zones of four lines has 40,000; a hostile text of this size takes 0.5 s to refuse. */
export const textCharactersMax = 262_144
/** Shared `exchange` sections need a few dozen; a "billion laughs" file needs thousands. */
const aliasesMax = 100
const mistakesMax = 20

export function parseYaml(text: string): YamlResult {
  if (text.length > textCharactersMax) {
    return refuse(`the file has ${text.length} characters; at most ${textCharactersMax}`)
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
    schema: 'core',
  })
  const place = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const found = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    offset: pos[0],
    message: wording({ code, message, offset: pos[0] }, text),
  }))
  // Aliases are checked only in a text without other mistakes.
  const mistakes = found.length > 0 ? found : aliasMistakes(document)
  if (mistakes.length > 0) {
    const places = mistakes.map(({ offset, message }) => ({ ...place(offset), message }))
    return { ok: false, mistakes: withoutEchoes(places).slice(0, mistakesMax) }
  }
  return toValue(document, place)
}

/** Lists of plain texts stand on one line, as people write them. @param value plain objects, lists, texts, numbers and switches */
export function formatYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every((item) => isScalar(item))
    },
  })
  return document.toString({ lineWidth: 160, flowCollectionPadding: false })
}

function toValue(document: Document.Parsed, place: (offset: number) => Position): YamlResult {
  const resolve = (node: unknown): Node | undefined => {
    const target = isAlias(node) ? node.resolve(document) : node
    return isNode(target) ? target : undefined
  }
  const root = document.contents
  try {
    // The package counts the anchor itself, too.
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax + 1 })
    return {
      ok: true,
      value: value ?? undefined,
      locate: (path, part) => {
        const found = walk(root, path, resolve)
        return place(part === 'key' ? found.keyOffset : found.offset)
      },
      has: (path) => walk(root, path, resolve).isWhole,
    }
  } catch {
    // Few aliases, but each of them multiplies the expansion of the others.
    return refuse(`too many aliases (*name) once they are expanded; at most ${aliasesMax}`)
  }
}

/** An alias must name an earlier anchor that does not contain it. Resolving costs a walk each, so their number is bounded. */
function aliasMistakes(document: Document.Parsed): { offset: number; message: string }[] {
  const aliases: Alias[] = []
  visit(document, {
    Alias: (_, alias) => {
      aliases.push(alias)
    },
  })
  if (aliases.length > aliasesMax) {
    const offset = aliases[aliasesMax]?.range?.[0] ?? 0
    return [{ offset, message: `more than ${aliasesMax} aliases (*name) in one file` }]
  }
  return aliases.flatMap((alias) => {
    const offset = alias.range?.[0] ?? 0
    const target = alias.resolve(document)
    if (target === undefined)
      return [{ offset, message: `no anchor &${alias.source} before this alias` }]
    const [start = 0, end = 0] = target.range ?? []
    if (offset < start || offset >= end) return []
    return [{ offset, message: `the alias *${alias.source} is inside its own anchor` }]
  })
}

/** One slip makes the parser stumble several times at the same place; the first complaint is the true one. */
function withoutEchoes(mistakes: readonly YamlMistake[]): YamlMistake[] {
  return mistakes.filter(
    (one, i) =>
      !mistakes
        .slice(0, i)
        .some((other) => other.line === one.line && Math.abs(other.column - one.column) < 2),
  )
}

function refuse(message: string): YamlResult {
  return { ok: false, mistakes: [{ line: 1, column: 1, message }] }
}

interface Walk {
  readonly offset: number
  readonly keyOffset: number
  readonly isWhole: boolean
}

function walk(root: unknown, path: Path, resolve: (node: unknown) => Node | undefined): Walk {
  let node = resolve(root)
  let offset = node?.range?.[0] ?? 0
  let keyOffset = offset
  for (const part of path) {
    const step = child(node, part)
    if (step === undefined) return { offset, keyOffset, isWhole: false }
    node = resolve(step.value)
    keyOffset = offsetOf(step.key) ?? offset
    // Readers look for a section by its name; an empty value has no position.
    const isNamed = isMap(step.value) || (isScalar(node) && node.value === null)
    offset = (isNamed ? keyOffset : offsetOf(node)) ?? keyOffset
  }
  return { offset, keyOffset, isWhole: true }
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

interface Step {
  readonly key: unknown
  readonly value: unknown
}

function child(node: unknown, part: string | number): Step | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const value = node.items[part]
    return value === undefined ? undefined : { key: value, value }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(part))
  if (pair === undefined) return undefined
  return { key: pair.key, value: pair.value }
}
