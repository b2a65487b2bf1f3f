/** The program that answers hits, compiled once for all tests of a process, and put where a daemon that runs from source finds it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileHits } from '../../build-kernel.ts'
import type { InstructionTable } from '../../src/kernel/program.ts'

const path = join(import.meta.dirname, '../../src/kernel/hit-program.json')
let compiled: InstructionTable | undefined

export function builtTable(): InstructionTable {
  compiled ??= compileHits()
  return compiled
}

/** Writes it beside src/kernel/program.ts, unless it is there. */
export function installTable(): void {
  const text = JSON.stringify(builtTable())
  if (textAt(path) === text) return
  const beside = `${path}.${process.pid}`
  writeFileSync(beside, text)
  renameSync(beside, path)
}

function textAt(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
