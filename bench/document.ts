/**
 * Writes the tables of docs/performance.md from committed results: `node bench/document.ts`. Each table stands between two
 * comments of which the first names its file; a new file is quoted by changing that name. `--check` writes nothing and
 * exits with 1 when the document is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tablesOf } from './support/document-tables.ts'

const root = join(import.meta.dirname, '..')
const documentFile = join(root, 'docs', 'performance.md')
const block = /<!-- from (bench\/results\/\S+\.json) -->\n[\s\S]*?<!-- end -->/g

/** The document as it has to be. */
export function rewritten(document: string): string {
  return document.replace(block, (_, file: string) => {
    const result: unknown = JSON.parse(readFileSync(join(root, file), 'utf8'))
    return `<!-- from ${file} -->\n${tablesOf(result)}\n<!-- end -->`
  })
}

/** Result files that the document names. */
export function quotedFiles(document: string): string[] {
  return [...document.matchAll(block)].map(([, file = '']) => file)
}

/** What is written by hand, without tables and code. */
export function prose(document: string): string {
  return document
    .replace(block, '')
    .replace(/```[\s\S]*?```/g, '')
    .replace(/`[^`\n]*`/g, '')
}

export function readDocument(): string {
  return readFileSync(documentFile, 'utf8')
}

function main(argv: readonly string[]): void {
  const document = readDocument()
  const fresh = rewritten(document)
  if (!argv.includes('--check')) writeFileSync(documentFile, fresh)
  else if (fresh !== document) {
    process.stderr.write('docs/performance.md is stale; run: node bench/document.ts\n')
    process.exitCode = 1
  }
}

if (import.meta.main) main(process.argv.slice(2))
