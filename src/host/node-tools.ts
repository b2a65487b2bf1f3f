/** The means to look at the node and to change it. */
import { readFile } from 'node:fs/promises'
import type { Nftables } from './nft/nftables.ts'
import type { RunProgram } from './run-program.ts'

export interface NodeTools {
  readonly run: RunProgram
  /** A text says why the kernel's nftables cannot be used. */
  readonly nftables: Nftables | string
  readonly readProc: ReadProc
}

/** Reads a file of /proc; empty when it is absent or must not be read. */
export type ReadProc = (path: string) => Promise<string>

export const readProc: ReadProc = async (path) => {
  try {
    return await readFile(path, 'latin1')
  } catch {
    return ''
  }
}

/** @returns undefined when the kernel's nftables cannot be used */
export function usableNftables({ nftables }: NodeTools): Nftables | undefined {
  return typeof nftables === 'string' ? undefined : nftables
}
