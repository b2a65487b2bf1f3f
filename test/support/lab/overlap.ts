/**
 * Tests that mostly wait, started beside each other: four are under way at any time, and each is reported under its own
 * name. For tests that share nothing; what measures the processor, or changes something global, stays with `test`.
 */

/** With four the processor is half used by the busiest of these files. */
const besideMax = 4

interface Case {
  readonly body: () => Promise<void> | void
  readonly outcome: PromiseWithResolvers<void>
}

/**
 * @param test registers a test, as uvu's suites do
 * @returns registers a test that may run beside others registered so; all of them start with the first one
 */
export function overlapping(
  test: (name: string, body: () => Promise<void>) => void,
): (name: string, body: () => Promise<void> | void) => void {
  const cases: Case[] = []
  const running: Promise<void>[] = []
  return (name, body) => {
    const outcome = Promise.withResolvers<void>()
    // Its own test looks at it later; until then it must not count as unhandled.
    outcome.promise.catch(() => undefined)
    cases.push({ body, outcome })
    test(name, () => {
      while (running.length < besideMax) running.push(work(cases))
      return outcome.promise
    })
  }
}

async function work(queue: Case[]): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    try {
      await next.body()
      next.outcome.resolve()
    } catch (error) {
      next.outcome.reject(error)
    }
  }
}
