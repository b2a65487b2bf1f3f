/** Labels that CoreDNS takes and a node's cache does not serve. */
import { isPlainZone } from '../../corefile/label.ts'
import type { Block } from '../blocks.ts'
import { type Complaint, quoted, type Remark } from '../reading.ts'

export function networkMistake({ labels }: Block): Complaint[] {
  return labels.flatMap(({ text, scheme, zones, place }): Complaint[] => {
    if (scheme !== 'dns') {
      const cure = 'remove it; pods ask over UDP and TCP'
      return [{ ...place, message: `${quoted(text)}: ${scheme}:// is not served here`, cure }]
    }
    const odd = zones.find((zone) => !isPlainZone(zone))
    if (odd === undefined) return []
    const cure = 'write letters, digits, "-" and "_" only'
    return [{ ...place, message: `${quoted(odd)} is no name of a zone`, cure }]
  })
}

/** Nobody replaces this pillar but the person who applies the manifest. */
export function pillarNotes({ labels }: Block): Remark[] {
  const left = labels.filter(({ text }) => text.includes('__PILLAR__'))
  return left.map(({ text, place }) => ({
    ...place,
    message: `${quoted(text)} has not been replaced and is a zone of this name, as in node-cache`,
  }))
}
