/** A setting that is a list of networks. Declares only. */
import type { Network } from '../address/ip-address.ts'
import { parseNetwork } from './address.ts'
import { list, parsed } from './setting.ts'

export interface NetworkListTerms {
  /** Of either family; the first is named in mistakes. */
  readonly examples: readonly [string, string]
  readonly max: number
  readonly about: string
}

/** Empty unless set. */
export function networkList({ examples, max, about }: NetworkListTerms) {
  const network = parsed<Network>({
    what: `a network such as ${examples[0]}`,
    parse: parseNetwork,
    examples: [...examples],
  })
  return list({ of: network, what: 'networks', max, default: [], about })
}
