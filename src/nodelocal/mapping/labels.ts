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
    if (zones.every(isPlainZone)) return []
    return [{ ...place, message: `${quoted(text)} is no name of a zone`, cure: cureOf(text) }]
  })
}

/** What is likely to be meant, by how the label is written. */
const cures: readonly (readonly [RegExp, string])[] = [
  [/^\}$/, 'remove it: every block is closed already'],
  [/^\{\}$/, 'write "{" and "}" on lines of their own'],
  [/\{$/, 'put a blank before "{"'],
  [/,/, 'put a blank after the comma'],
  [/:\/\//, 'leave the scheme out'],
  [/^\[/, 'addresses to listen on belong to `bind`'],
  [/^\*\./, 'leave "*." out: a zone has all names below it'],
]

function cureOf(text: string): string {
  const [, cure] = cures.find(([pattern]) => pattern.test(text)) ?? []
  return cure ?? 'write letters, digits, "-" and "_" only'
}

/** Nobody replaces this pillar but the person who applies the manifest. */
export function pillarNotes({ labels }: Block): Remark[] {
  const left = labels.filter(({ text }) => text.includes('__PILLAR__'))
  return left.map(({ text, place }) => ({
    ...place,
    message: `${quoted(text)} has not been replaced and is a zone of this name, as in node-cache`,
  }))
}
