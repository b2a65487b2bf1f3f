/** `dnstap` of all blocks as `log.dnstap`, which has one reader, and tells it about every query. */
import type { Block } from '../blocks.ts'
import type { DnstapDirective } from '../directives/dnstap.ts'
import type { Complaint, Remark } from '../reading.ts'
import type { PlainSection } from './plain.ts'

export function dnstapSettings(blocks: readonly Block[]): PlainSection | undefined {
  const [first] = directivesOf(blocks)
  return first && sectionOf(first)
}

export function dnstapComplaints(blocks: readonly Block[]): Complaint[] {
  const [first, ...others] = directivesOf(blocks)
  return others
    .filter((one) => first && JSON.stringify(sectionOf(one)) !== JSON.stringify(sectionOf(first)))
    .map(({ place }) => ({
      ...place,
      message: '`dnstap` is another one than before; there is one reader for all queries here',
      cure: 'write the same line in every block',
    }))
}

export function dnstapNotes(blocks: readonly Block[]): Remark[] {
  const [first] = directivesOf(blocks)
  if (first === undefined || blocks.every(({ has }) => has.dnstap)) return []
  const message =
    '`dnstap`: the reader gets the queries of all blocks, also of those without this directive'
  return [{ ...first.place, message }]
}

function directivesOf(blocks: readonly Block[]): DnstapDirective[] {
  return blocks.flatMap(({ has }) => has.dnstap ?? [])
}

function sectionOf({ socket, isFull, identity, version }: DnstapDirective): PlainSection {
  return {
    socket,
    ...(!isFull && { messages: false }),
    ...(identity !== undefined && { identity }),
    ...(version !== undefined && { version }),
  }
}
