/** Commands for the node as data, so that they can be printed instead of run. */
import type { Ran, RunProgram } from './run-program.ts'

/** One command, printable. */
export interface Step {
  readonly program: string
  readonly args: readonly string[]
  readonly stdin?: string
}

/** Does the steps one after another; one that fails does not keep the others from being done. */
export async function runSteps(
  run: RunProgram,
  steps: readonly Step[],
): Promise<{ step: Step; ran: Ran }[]> {
  const failed: { step: Step; ran: Ran }[] = []
  for (const step of steps) {
    const ran = await run(step.program, step.args, step.stdin)
    if (!ran.ok) failed.push({ step, ran })
  }
  return failed
}

/** For people: the command line, and indented below it what is fed to it. */
export function stepText({ program, args, stdin }: Step): string {
  const head = [program, ...args].join(' ')
  const lines = (stdin ?? '').split('\n').filter((line) => line !== '')
  return [head, ...lines.map((line) => `    ${line}`)].join('\n')
}
