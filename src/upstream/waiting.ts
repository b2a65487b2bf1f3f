/** Which questions may wait for a place that another client's have. */
import { ourselves } from '../core/sharing/claim.ts'
import type { Attempt } from './attempt.ts'

/** What a client does not wait for does not lengthen the line. */
export function mayWait({ kind, claim }: Attempt): boolean {
  return kind !== 'hedge' && kind !== 'trial' && claim[0] !== ourselves
}
