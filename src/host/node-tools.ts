/** The means with which the node is looked at and changed; together, because a plan needs both. */
import { readFile } from 'node:fs/promises'
import type { Nftables } from './nft/nftables.ts'
import type { RunProgram } from './run-program.ts'

export interface NodeTools {
  readonly run: RunProgram
  /** Or why the kernel's nftables cannot be used. */
  readonly nftables: Nftables | string
  readonly readProc: ReadProc
}

/** The text of a file of /proc; empty where it is not there or not for us. */
export type ReadProc = (path: string) => Promise<string>

export const readProc: ReadProc = async (path) => {
  try {
    return await readFile(path, 'latin1')
  } catch {
    return ''
  }
}

/** @returns undefined where it cannot be used */
export function usableNftables({ nftables }: NodeTools): Nftables | undefined {
  return typeof nftables === 'string' ? undefined : nftables
}
