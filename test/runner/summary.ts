/** The runner's last lines: slow files and tests, skips and what would enable them, leaks, unsteady tests, failures, the closing line. */
import type { Report } from './report.ts'

const slowMs = 2000
const slowFilesMax = 15

/**
 * Prints the end of the run; the very last line is `N passed, N failed`.
 * @returns the exit code: 0 when nothing failed and something passed
 */
export function printSummary(report: Report): number {
  const { passed, failures } = report
  const skipped = report.skips.reduce((sum, { titles }) => sum + titles.length, 0)
  if (skipped > 0 && process.env['NEARDNS_TEST_REQUIRE_ALL'] === '1') {
    failures.push({ where: 'NEARDNS_TEST_REQUIRE_ALL', what: `${skipped} tests skipped` })
  }
  const slow = report.slow.filter(({ tookMs }) => tookMs >= slowMs)
  const lines = [
    '',
    ...slow.map(({ label, tookMs }) => `slow: ${tookMs} ms, ${label}`),
    ...slowestFiles(report),
    ...report.skips.map(({ file, titles }) => `skipped: ${titles.length} in ${file}`),
    ...report.needs.map(({ need, how }) => `needs ${need}: ${how}`),
    ...report.leaks.map((leak) => `warning: left open: ${leak}`),
    ...report.unsteady.map(
      ({ where, what }) => `unsteady: ${where}: ${firstLine(what)}; passed when run alone`,
    ),
    ...failures.map(({ where, what }) => `FAIL ${where}: ${firstLine(what)}`),
    `${passed} passed, ${failures.length} failed`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return failures.length === 0 && passed > 0 ? 0 : 1
}

/** Wall time beside processor time: a file far above its processor time waits, and is best overlapped or shortened. */
function slowestFiles({ files }: Report): string[] {
  return files
    .toSorted((one, other) => other.tookMs - one.tookMs)
    .slice(0, slowFilesMax)
    .filter(({ tookMs }) => tookMs >= slowMs)
    .map(
      ({ label, tookMs, cpuMs }) => `file: ${seconds(tookMs)} s, ${seconds(cpuMs)} s CPU, ${label}`,
    )
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? ''
}
