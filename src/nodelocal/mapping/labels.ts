/** Labels that CoreDNS takes and a node's cache does not serve. Pure. */
import { isPlainZone } from '../../corefile/label.ts'
import type { PlacedLabel, WordsBlock } from '../../corefile/server-blocks.ts'
import type { Block } from '../blocks.ts'
import { type Complaint, quoted, type Remark } from '../reading.ts'

export function schemeMistakes({ labels }: WordsBlock): Complaint[] {
  return labels.flatMap(({ text, scheme, place }): Complaint[] => {
    if (scheme === 'dns') return []
    const cure = 'remove it; pods ask over UDP and TCP'
    return [{ ...place, message: `${quoted(text)}: ${scheme}:// is not served here`, cure }]
  })
}

/** Labels of zones that no name lies in. CoreDNS serves them, and nobody asks for such names: a mistake only where there is nothing else. */
export function oddLabels(blocks: readonly WordsBlock[]): {
  readonly complaints: readonly Complaint[]
  readonly notes: readonly Remark[]
} {
  const labels = blocks.flatMap((block) => block.labels)
  const odd = labels.filter(({ zones }) => !zones.every(isPlainZone))
  const what = ({ text }: PlacedLabel) => `${quoted(text)} is no name of a zone`
  if (odd.length === labels.length) {
    const complaints = odd.map((label) => ({
      ...label.place,
      message: what(label),
      cure: cureOf(label.text),
    }))
    return { complaints, notes: [] }
  }
  const notes = odd.map((label) => ({
    ...label.place,
    message: `${what(label)} and is passed over; ${cureOf(label.text)}`,
  }))
  return { complaints: [], notes }
}

/** The block with the labels that names can lie in; perhaps with none. */
export function withPlainLabels(block: WordsBlock): WordsBlock {
  return { ...block, labels: block.labels.filter(({ zones }) => zones.every(isPlainZone)) }
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
