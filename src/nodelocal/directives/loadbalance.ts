/** `loadbalance [round_robin|weighted FILE] { prefer NETWORKS }`. Source: plugin/loadbalance/setup.go of CoreDNS 1.14.7. */
import type { Words } from '../../corefile/words.ts'
import { quoted, refuse, refuseCount } from '../reading.ts'

/** Addresses take turns; without the directive they come as they are. */
export function readLoadbalance(words: Words): true {
  while (words.next()) {
    const [policy, ...more] = words.rest()
    if (policy?.text === 'weighted') {
      const cure = 'write `loadbalance`, which gives every address the same share'
      refuse(policy.place, '`loadbalance weighted` is not supported', cure)
    }
    if (policy !== undefined && policy.text !== 'round_robin') {
      refuse(policy.place, `${quoted(policy.text)} is no policy`, 'write round_robin')
    }
    if (more.length > 0) refuseCount(words, 'loadbalance [round_robin]')
    while (words.nextInBlock()) {
      const { text, place } = words
      const message =
        text === 'prefer'
          ? '`prefer` is not supported'
          : `\`loadbalance\` has no option ${quoted(text)}`
      refuse(place, message, 'remove it; addresses take turns')
    }
  }
  return true
}
