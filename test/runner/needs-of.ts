/** Asks the tests' registry of needs (`support/needs.ts` below the root) what was missing in this process. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SkippedNeed } from './report.ts'

export async function skippedNeedsOf(root: string): Promise<readonly SkippedNeed[]> {
  const path = join(root, 'support', 'needs.ts')
  if (!existsSync(path)) return []
  const { skippedNeeds }: { skippedNeeds(): SkippedNeed[] } = await import(pathToFileURL(path).href)
  return skippedNeeds()
}
