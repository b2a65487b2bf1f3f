/**
 * Tells whether somebody else has changed nftables since it was last asked. The kernel counts transactions, and telling the number
 * takes no lock, so that this is cheap on a node with any number of rules.
 */
import type { Nftables } from './nftables.ts'

export class GenerationWatch {
  private readonly nftables: Pick<Nftables, 'generation' | 'changes'>
  private generation: number | undefined
  private ownChanges = 0

  constructor(nftables: GenerationWatch['nftables']) {
    this.nftables = nftables
  }

  /** True at the first call, and where the kernel does not tell. Changes of our own, as a renewal each second, do not count. */
  async hasMoved(): Promise<boolean> {
    const generation = await this.nftables.generation()
    // Behind the answer: requests are made one after another, so that these are in it.
    const ownChanges = this.nftables.changes
    const before = this.generation
    const expected = before === undefined ? undefined : before + ownChanges - this.ownChanges
    this.generation = generation
    this.ownChanges = ownChanges
    return generation === undefined || generation !== expected
  }
}
