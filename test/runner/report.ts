/** What a run, or one file of it, has to tell. Plain data: it travels between processes. */

export interface Failure {
  readonly where: string
  readonly what: string
}

export interface Skip {
  readonly file: string
  readonly titles: readonly string[]
}

export interface Timing {
  readonly label: string
  readonly tookMs: number
}

/** Wall time, and processor time of the process and of the children that it has waited for. */
export interface FileTiming extends Timing {
  readonly cpuMs: number
}

/** Something that the machine lacks, and what would bring it. */
export interface SkippedNeed {
  readonly need: string
  readonly how: string
}

export interface Report {
  passed: number
  readonly failures: Failure[]
  /** Failures beside other files that did not come again when the file ran alone. */
  readonly unsteady: Failure[]
  readonly skips: Skip[]
  readonly leaks: string[]
  readonly slow: Timing[]
  readonly files: FileTiming[]
  readonly needs: SkippedNeed[]
}

export function emptyReport(): Report {
  return {
    passed: 0,
    failures: [],
    unsteady: [],
    skips: [],
    leaks: [],
    slow: [],
    files: [],
    needs: [],
  }
}

export function addReport(to: Report, more: Report): void {
  to.passed += more.passed
  to.failures.push(...more.failures)
  to.unsteady.push(...more.unsteady)
  to.skips.push(...more.skips)
  to.leaks.push(...more.leaks)
  to.slow.push(...more.slow)
  to.files.push(...more.files)
  const known = new Set(to.needs.map(({ need }) => need))
  to.needs.push(...more.needs.filter(({ need }) => !known.has(need)))
}
