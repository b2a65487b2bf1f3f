/**
 * Recognises a question of ours that an upstream has sent back to us: a CoreDNS whose resolv.conf names this node's cache, a packet
 * filter that leads all DNS to us. Such a question waits for itself. Nothing is added to a query for this. Where a loop is
 * suspected, the letters of the name go out in random case, which forwarders hand on (RFC 4343); a query that has the very
 * letters of a question in flight is that question. Others cannot know them.
 */
import { headerBytes } from '../../wire/constants.ts'
import type { Ask } from '../ports.ts'

/** @param query of a client, for the same name, type and class as `ask` */
export function isReturned(query: Uint8Array, { challenge, questionEnd }: Ask): boolean {
  if (challenge === undefined) return false
  const qnameEnd = questionEnd - 4
  for (let i = headerBytes; i < qnameEnd; i++) if (query[i] !== challenge[i]) return false
  return true
}
