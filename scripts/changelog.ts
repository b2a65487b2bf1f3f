/**
 * The notes of one version out of CHANGELOG.md, for the page of its release. Fails where the version has none, so that nothing
 * is released that nobody has described.
 *
 *   node scripts/changelog.ts 0.1.0
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @returns the lines below the version's heading, or undefined when it has no heading or nothing below it */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^(?=## )/m)
  const section = sections.find((text) => {
    const [, name] = /^## \[?([^\s\]]+)/.exec(text) ?? []
    return name === version
  })
  const notes = section?.replace(/^.*\n/, '').trim()
  return notes === '' ? undefined : notes
}

function main([version = '']: readonly string[]): void {
  const changelog = readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8')
  const notes = notesOf(changelog, version)
  if (notes === undefined) throw new Error(`CHANGELOG.md has no notes for ${version}`)
  process.stdout.write(`${notes}\n`)
}

if (import.meta.main) main(process.argv.slice(2))
