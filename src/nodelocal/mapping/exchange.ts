/** The options of `forward` that say how upstreams are asked, as settings. */
import type { ForwardDirective } from '../directives/forward.ts'
import type { PlainSection } from './plain.ts'

/** node-cache's own default takes the upstreams for equals. */
const policyDefault = 'random'

export function exchangeOf({ to, options }: ForwardDirective): PlainSection {
  const isFile = to.some(({ text }) => text.includes('/') && !text.includes('://'))
  const hasSeveral = to.length > 1 || isFile
  const policy = options.policy ?? (hasSeveral ? policyDefault : undefined)
  return { ...(policy !== undefined && { policy }) }
}
