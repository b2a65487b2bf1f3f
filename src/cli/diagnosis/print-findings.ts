/** Writes findings for a person or as JSON. */
import { styleText } from 'node:util'
import type { CliIo } from '../io.ts'
import { type Finding, type FindingState, findingsText, sumText } from './finding.ts'

export interface PrintOptions {
  readonly isJson: boolean
  /** Undefined: nobody sees colours. */
  readonly terminal: { readonly isColoured: boolean } | undefined
  /** What a start would run. */
  readonly commands?: readonly string[]
}

const columnsDefault = 100

const colours: Readonly<Record<FindingState, Parameters<typeof styleText>[0]>> = {
  ok: 'green',
  fault: 'red',
  note: 'yellow',
  unknown: 'yellow',
}

export function printFindings(
  io: CliIo,
  findings: readonly Finding[],
  { isJson, terminal, commands }: PrintOptions,
): void {
  if (isJson) {
    io.stdout(`${JSON.stringify({ findings, ...(commands && { commands }) }, undefined, 2)}\n`)
    return
  }
  const columns = terminal === undefined ? columnsDefault : process.stdout.columns
  const paint = (state: FindingState, text: string) =>
    terminal?.isColoured === true
      ? styleText(colours[state], text, { validateStream: false })
      : text
  io.stdout(findingsText(findings, columns, paint))
  if (commands !== undefined && commands.length > 0) {
    io.stdout(
      `\nA start would run:\n${commands.map((one) => `  ${one.replaceAll('\n', '\n  ')}\n`).join('')}`,
    )
  }
  io.stdout(`\n${sumText(findings)}`)
}
