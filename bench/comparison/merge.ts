/** The comparison may be measured in parts: what is measured anew takes the place of what was kept, and all else stays. Pure. */
import { scenarioNames } from './scenarios.ts'
import { type ComparisonResult, measuredIn, type ScenarioResult } from './summary.ts'

/** @returns whether figures of the two may stand in one file: builds may differ, and are noted */
export function isSameMachine(a: ComparisonResult, b: ComparisonResult): boolean {
  const of = ({ machine, versions }: ComparisonResult) =>
    [machine.cpu, machine.cpus, machine.kernel, versions.node].join()
  return of(a) === of(b)
}

/** @param kept of the same machine */
export function merged(kept: ComparisonResult, part: ComparisonResult): ComparisonResult {
  const others = <T>(all: readonly T[], fresh: readonly T[], nameOf: (each: T) => string) =>
    all.filter((each) => !fresh.some((other) => nameOf(other) === nameOf(each)))
  const nameOf = ({ name }: { readonly name: string }) => name
  const stale = others<ScenarioResult>(kept.scenarios, part.scenarios, nameOf)
  const noted = stale.map((each) => ({ measured: measuredIn(kept), ...each }))
  const scenarios = [...noted, ...part.scenarios].toSorted(
    (a, b) => scenarioNames.indexOf(a.name) - scenarioNames.indexOf(b.name),
  )
  const contestants = [...part.contestants, ...others(kept.contestants, part.contestants, nameOf)]
  const { firstAnswers, firstAnswersMeasured } =
    part.firstAnswers.length > 0 ? part : { firstAnswersMeasured: measuredIn(kept), ...kept }
  return {
    ...part,
    ...{ contestants, scenarios, firstAnswers },
    ...(firstAnswersMeasured && { firstAnswersMeasured }),
  }
}
