/**
 * Tells whether another program has changed nftables since the last call. The kernel counts transactions, and reading the number
 * takes no lock, so this is cheap on a node with any number of rules.
 */
import type { Nftables } from './nftables.ts'

export class GenerationWatch {
  private readonly nftables: Pick<Nftables, 'generation' | 'changes'>
  private generation: number | undefined
  private ownChanges = 0

  constructor(nftables: GenerationWatch['nftables']) {
    this.nftables = nftables
  }

  /** True at the first call, and when the kernel does not tell. Our own changes, such as a renewal each second, do not count. */
  async hasMoved(): Promise<boolean> {
    const generation = await this.nftables.generation()
    // Read after the answer: requests are sent one after another, so these changes are in it.
    const ownChanges = this.nftables.changes
    const before = this.generation
    const expected = before === undefined ? undefined : before + ownChanges - this.ownChanges
    this.generation = generation
    this.ownChanges = ownChanges
    return generation === undefined || generation !== expected
  }
}
