/** What docs/nodelocal-differences.md lists and replies show; nothing else may differ. */
import type { ReadMessage } from '../../support/client/dns-message.ts'
import type { Aspect, Pair } from './agreement.ts'

export interface Allowance {
  /** A row of the page, by its left cell. */
  readonly row: string
  readonly covers: (pair: Pair, what: Aspect) => boolean
}

const cname = 5
const soa = 6

export const allowances: readonly Allowance[] = [
  {
    row: 'a denial is kept for the TTL of its SOA record',
    covers: ({ theirs, ours }, what) => {
      const [their, our] = [theirs, ours].map(soaOf)
      if (what !== 'ttl' || their === undefined || our === undefined) return false
      return theirs.answers.length === 0 && our.ttl < their.ttl && our.ttl <= minimumOf(our.data)
    },
  },
  {
    row: 'NXDOMAIN behind an alias is kept for 5 s',
    covers: ({ theirs, ours }, what) => what === 'ttl' && theirs.rcode === 3 && isAlias(ours),
  },
  {
    row: 'an alias without data at its end and without SOA is kept as an answer',
    covers: ({ theirs, ours }, what) =>
      what === 'ttl' && isAlias(ours) && ours.rcode === 0 && soaOf(theirs) === undefined,
  },
  {
    row: 'authority and additional records of outside answers are passed on',
    covers: ({ ours }, what) => what !== 'rcode' && isAlias(ours) && soaOf(ours) === undefined,
  },
  {
    row: "an alias from one block's zone to another's is taken as the first server tells it",
    covers: ({ ours }, what) => what !== 'rcode' && isAlias(ours) && soaOf(ours) !== undefined,
  },
  {
    row: '`dns64` without A records: NOERROR, and what the question for A brought',
    covers: ({ form, question, theirs, ours }) =>
      form.startsWith('dns64') &&
      question.type === 'AAAA' &&
      theirs.rcode === 0 &&
      [...theirs.answers, ...ours.answers].every(({ type }) => type === cname),
  },
  {
    row: 'a reply over UDP is as large as the client takes',
    covers: ({ question, ours }, what) =>
      what === 'truncated' && ours.tc && (question.ednsBytes ?? 0) > 1232,
  },
]

function soaOf({ authorities }: ReadMessage) {
  return authorities.find(({ type }) => type === soa)
}

function minimumOf(data: string): number {
  return Number(data.split(' ').at(-1))
}

/** Aliases, and nothing at their end. */
function isAlias({ answers }: ReadMessage): boolean {
  return answers.length > 0 && answers.every(({ type }) => type === cname)
}
