/**
 * What a client should get where CoreDNS's alias (ExternalName) leads to a name outside the cluster: the alias, and behind it what the
 * resolvers outside say of that name (docs/decisions/0042). CoreDNS itself passes on data that it got from them, but turns their
 * NXDOMAIN into NOERROR without a record.
 */
import { askAllTcp, type Question } from '../client/ask-all.ts'
import type { Server } from '../client/dns-client.ts'
import { type ReadMessage, type ReadRecord, typeNumbers } from '../client/dns-message.ts'

const ofCluster = /(^|\.)(cluster\.local|in-addr\.arpa|ip6\.arpa)\.$/

interface Lead {
  readonly index: number
  readonly aliases: readonly ReadRecord[]
  readonly target: string
}

/** @param direct CoreDNS's own replies to `asked` @param outside the resolver that neardns asks for names outside */
export async function withOwnersWord(
  asked: readonly Question[],
  direct: readonly ReadMessage[],
  outside: Server,
): Promise<ReadMessage[]> {
  const leads = direct.flatMap((message, index) => leadOf(message, index, asked[index]))
  const words = await askAllTcp(
    outside,
    leads.map(({ index, target }) => ({
      name: target.slice(0, -1),
      type: asked[index]?.type ?? 'A',
    })),
  )
  const whole = [...direct]
  for (const [i, { index, aliases }] of leads.entries()) {
    const [message, word] = [direct[index], words[i]]
    if (message === undefined || word === undefined) throw new Error('not asked')
    const { rcode, authorities } = word
    whole[index] = {
      ...message,
      aa: false,
      rcode,
      answers: [...aliases, ...word.answers],
      authorities,
    }
  }
  return whole
}

/** The aliases of a reply, when they lead out of the cluster. */
function leadOf(
  { questions, answers }: ReadMessage,
  index: number,
  asked: Question | undefined,
): Lead[] {
  if (asked === undefined || asked.type === 'CNAME' || asked.type === 'ANY') return []
  const aliases: ReadRecord[] = []
  let at = (questions[0]?.name ?? '').toLowerCase()
  for (;;) {
    const alias = answers.find(
      ({ name, type }) => type === typeNumbers.CNAME && name.toLowerCase() === at,
    )
    if (alias === undefined || aliases.includes(alias)) break
    aliases.push(alias)
    at = alias.data.toLowerCase()
    if (!ofCluster.test(at)) return [{ index, aliases, target: at }]
  }
  return []
}
