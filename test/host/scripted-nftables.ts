/** Nftables for tests: what is there is written down by the test, what is changed is noted. */
import type { BaseChain, RuleFact, TableFact } from '../../src/host/nft/decode.ts'
import type { NftChange, Place } from '../../src/host/nft/model.ts'
import type { Nftables } from '../../src/host/nft/nftables.ts'

export interface NftScript {
  readonly tables?: readonly TableFact[]
  readonly baseChains?: readonly BaseChain[]
  readonly rules?: (at: Place) => readonly RuleFact[]
  readonly change?: Nftables['change']
  /** The same number each time unless given: nobody changes anything. */
  readonly generation?: Nftables['generation']
  readonly fingerprint?: Nftables['fingerprint']
}

export function scriptedNftables(script: NftScript = {}): Nftables & { made: NftChange[] } {
  const made: NftChange[] = []
  return {
    made,
    changes: 0,
    async change(changes) {
      made.push(...changes)
      return (await script.change?.(changes)) ?? { ok: true }
    },
    generation: script.generation ?? (async () => 1),
    tables: async () => script.tables ?? [],
    baseChains: async () => script.baseChains ?? [],
    rules: async (at) => script.rules?.(at) ?? [],
    elements: async () => [],
    element: async () => undefined,
    fingerprint: script.fingerprint ?? (async () => ''),
    close: async () => undefined,
  }
}
