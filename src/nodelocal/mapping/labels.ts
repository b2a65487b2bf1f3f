/** Labels that CoreDNS takes and a node's cache does not serve. */
import { isPlainZone } from '../../corefile/label.ts'
import type { Block } from '../blocks.ts'
import { type Complaint, quoted } from '../reading.ts'

export function networkMistake({ labels }: Block): Complaint[] {
  return labels.flatMap(({ text, scheme, zones, place }): Complaint[] => {
    if (scheme !== 'dns') {
      const cure = 'remove it; pods ask over UDP and TCP'
      return [{ ...place, message: `${quoted(text)}: ${scheme}:// is not served here`, cure }]
    }
    if (text.includes('__PILLAR__')) {
      const cure = 'put the name of the zone in its place'
      return [{ ...place, message: `${text} has not been replaced`, cure }]
    }
    const odd = zones.find((zone) => !isPlainZone(zone))
    if (odd === undefined) return []
    const cure = 'write letters, digits, "-" and "_" only'
    return [{ ...place, message: `${quoted(odd)} is no name of a zone`, cure }]
  })
}
