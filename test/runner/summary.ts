/** The runner's last lines: slow tests, skips and what would enable them, leaks, failures, the closing line. */
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Session } from './session.ts'

const slowMs = 2000

interface SkippedNeed {
  readonly need: string
  readonly how: string
}

/** Prints the end of the run; the very last line is `N passed, N failed`. */
export async function printSummary(session: Session, needsPath: string): Promise<void> {
  const slow = session.slow.filter(({ tookMs }) => tookMs >= slowMs)
  const skipped = session.skips.reduce((sum, { titles }) => sum + titles.length, 0)
  if (skipped > 0 && process.env['NEARDNS_TEST_REQUIRE_ALL'] === '1') {
    session.fail('NEARDNS_TEST_REQUIRE_ALL', `${skipped} tests skipped`)
  }
  const lines = [
    '',
    ...slow.map(({ label, tookMs }) => `slow: ${tookMs} ms, ${label}`),
    ...session.skips.map(({ file, titles }) => `skipped: ${titles.length} in ${file}`),
    ...(await skippedNeeds(needsPath)).map(({ need, how }) => `needs ${need}: ${how}`),
    ...session.leaks.map((leak) => `warning: left open: ${leak}`),
    ...session.failures.map(({ where, what }) => `FAIL ${where}: ${firstLine(what)}`),
    `${session.passed} passed, ${session.failures.length} failed`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function skippedNeeds(path: string): Promise<readonly SkippedNeed[]> {
  if (!existsSync(path)) return []
  const { skippedNeeds: list }: { skippedNeeds(): SkippedNeed[] } = await import(
    pathToFileURL(path).href
  )
  return list()
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? ''
}
