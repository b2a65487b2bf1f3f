/**
 * The Corefiles in test/fixtures/corefiles, by folder: `trusted`, `doubted` (each doubt marked in its line), `broken`
 * (the first mistake marked), `retired` (grammar is fine, plugins are gone from CoreDNS).
 */
import { readdirSync, readFileSync } from 'node:fs'

export type CorefileFolder = 'trusted' | 'doubted' | 'broken' | 'retired'

export interface CorefileFixture {
  /** `doubted/k3s`. */
  readonly name: string
  readonly text: string
  /** Lines that carry `# <- doubt` or `# <- broken`. */
  readonly marked: readonly number[]
}

export function corefileFixtures(folder: CorefileFolder): CorefileFixture[] {
  const directory = new URL(`../fixtures/corefiles/${folder}/`, import.meta.url)
  return readdirSync(directory)
    .filter((file) => file.endsWith('.corefile'))
    .toSorted()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), 'utf8')
      const marked = text
        .split('\n')
        .flatMap((line, i) => (/# <- (?:doubt|broken)/.test(line) ? [i + 1] : []))
      return { name: `${folder}/${file.replace('.corefile', '')}`, text, marked }
    })
}
