/** A line for a shared pool in which a thousand questions of one client wait, as in a flood: what each further question looks at. */
import { FairLine } from '../../src/core/sharing/fair-line.ts'
import { type Claim, Shares } from '../../src/core/sharing/shares.ts'
import type { MicroBench } from './measure.ts'

const waiting = 1000

/** One client, one domain, a name of its own, as `claimFor` makes it. */
function claimOf(i: number): Claim {
  return [
    { by: 'client', key: -2, weight: 1 },
    { by: 'domain', key: -1, weight: 1 / 2 },
    { by: 'domain', key: i, weight: 1 / 4 },
  ]
}

export const bench: MicroBench = () => {
  const shares = new Shares(128)
  const line = new FairLine<{ readonly claim: Claim }>()
  for (let i = 0; i < waiting; i++) line.add({ claim: claimOf(i) })
  const claims = Array.from({ length: waiting }, (_, i) => ({ claim: claimOf(waiting + i) }))
  let at = 0
  return [
    { name: 'line of 1,000, has it a next', op: () => (line.hasNext(shares) ? 1 : 0) },
    { name: 'line of 1,000, the oldest', op: () => line.peek(shares)?.claim.length ?? 0 },
    { name: 'line of 1,000, the newest', op: () => line.peek(shares, true)?.claim.length ?? 0 },
    {
      name: 'line of 1,000, one joins and leaves',
      op: () => {
        at = at + 1 < waiting ? at + 1 : 0
        const thing = claims[at] as { readonly claim: Claim }
        line.add(thing)
        return line.remove(thing) ? 1 : 0
      },
    },
  ]
}
