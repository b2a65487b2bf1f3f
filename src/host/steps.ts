/** Changes of the node as data, so that a dry run can print them. */
import type { NftChange } from './nft/model.ts'
import { changesText } from './nft/text.ts'
import { type NodeTools, usableNftables } from './node-tools.ts'
import type { Ran } from './run-program.ts'

export type Step = ProgramStep | NftStep

/** One command. */
export interface ProgramStep {
  readonly program: string
  readonly args: readonly string[]
  readonly stdin?: string
}

/** One transaction of nftables, sent without a program. */
export interface NftStep {
  readonly changes: readonly NftChange[]
}

export interface FailedStep {
  readonly step: Step
  readonly ran: Ran
}

/** Runs the steps one after another; the others run even if one fails. */
export async function runSteps(tools: NodeTools, steps: readonly Step[]): Promise<FailedStep[]> {
  const failed: FailedStep[] = []
  for (const step of steps) {
    const ran =
      'program' in step
        ? await tools.run(step.program, step.args, step.stdin)
        : await runChanges(tools, step)
    if (!ran.ok) failed.push({ step, ran })
  }
  return failed
}

async function runChanges(tools: NodeTools, { changes }: NftStep): Promise<Ran> {
  const done = await usableNftables(tools)?.change(changes)
  const stderr = done === undefined ? String(tools.nftables) : done.ok ? '' : done.why
  return { ok: done?.ok ?? false, stdout: '', stderr, isMissing: false }
}

/** The program of a step, for messages about its failure. */
export function stepProgram(step: Step): string {
  return 'program' in step ? step.program : 'nf_tables'
}

/** For people: the command line, and its standard input indented below. */
export function stepText(step: Step): string {
  if (!('program' in step)) return nftText(step)
  const { program, args, stdin } = step
  return withInput([program, ...args].join(' '), stdin ?? '')
}

/** In the syntax of `nft`, although no nft is needed. */
function nftText({ changes }: NftStep): string {
  const text = changesText(changes).trimEnd()
  return text.includes('\n') ? withInput('nft -f -', text) : `nft ${text}`
}

function withInput(head: string, input: string): string {
  const lines = input.split('\n').filter((line) => line !== '')
  return [head, ...lines.map((line) => `    ${line}`)].join('\n')
}
