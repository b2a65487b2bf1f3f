/** For dry runs: records the steps that would change the node, and runs only those that read. */
import type { Nftables } from './nft/nftables.ts'
import type { NodeTools } from './node-tools.ts'
import type { RunProgram } from './run-program.ts'
import type { Step } from './steps.ts'

const looksOnly: readonly RegExp[] = [
  /^ip (-json )?(-details )?(address|link) show/,
  /^ip6?tables-\w+-save/,
]

export function recording({ run, nftables, readProc }: NodeTools): {
  tools: NodeTools
  steps: Step[]
} {
  const steps: Step[] = []
  const tools = {
    run: recordingRun(run, steps),
    readProc,
    nftables: typeof nftables === 'string' ? nftables : recordingNftables(nftables, steps),
  }
  return { tools, steps }
}

function recordingRun(run: RunProgram, steps: Step[]): RunProgram {
  return async (program, args, stdin) => {
    const line = [program, ...args].join(' ')
    if (looksOnly.some((shape) => shape.test(line))) return await run(program, args, stdin)
    // Later steps depend on whether the link exists.
    const link = /^ip link set dev (\S+) up$/.exec(line)?.[1]
    const shown = link === undefined ? undefined : await run('ip', ['link', 'show', 'dev', link])
    if (shown?.ok === false) return shown
    steps.push({ program, args, ...(stdin === undefined ? {} : { stdin }) })
    return { ok: true, stdout: '', stderr: '', isMissing: false }
  }
}

function recordingNftables(nftables: Nftables, steps: Step[]): Nftables {
  return {
    changes: 0,
    change: async (changes) => {
      steps.push({ changes })
      return { ok: true }
    },
    generation: () => nftables.generation(),
    tables: () => nftables.tables(),
    baseChains: () => nftables.baseChains(),
    rules: (at) => nftables.rules(at),
    elements: (set) => nftables.elements(set),
    element: (set, key) => nftables.element(set, key),
    fingerprint: (at) => nftables.fingerprint(at),
    close: () => nftables.close(),
  }
}
