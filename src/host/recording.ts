/** For dry runs: notes the commands that would change the node, and runs only those that look. */
import type { RunProgram } from './run-program.ts'
import type { Step } from './steps.ts'

const looksOnly: readonly RegExp[] = [
  /^ip (-json )?(-details )?(address|link) show/,
  /^nft (--\w+ )*(list|get) /,
  /^ip6?tables-\w+-save/,
]

export function recording(run: RunProgram): { run: RunProgram; steps: Step[] } {
  const steps: Step[] = []
  return {
    steps,
    run: async (program, args, stdin) => {
      const line = [program, ...args].join(' ')
      if (looksOnly.some((shape) => shape.test(line))) return await run(program, args, stdin)
      // Whether the link is there decides what comes next.
      const link = /^ip link set dev (\S+) up$/.exec(line)?.[1]
      const shown = link === undefined ? undefined : await run('ip', ['link', 'show', 'dev', link])
      if (shown?.ok === false) return shown
      steps.push({ program, args, ...(stdin === undefined ? {} : { stdin }) })
      return { ok: true, stdout: '', stderr: '', isMissing: false }
    },
  }
}
