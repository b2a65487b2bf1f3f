/**
 * For whom a question takes its places: the client that asked, and the domains that its name lies in. A client is one address,
 * whatever ports it uses, and an IPv6 address is not cut to its prefix: a node's pods have one address each out of one /64, so
 * that a share by prefix would be one share for the whole node. No client can take another address: the node drops packets with
 * a source that is not the pod's. Pure.
 */
import { headerBytes } from '../../wire/constants.ts'
import type { Claim, Holder } from './shares.ts'

/**
 * For each domain level below the zone: one silent domain leaves two thirds of the pool to others, one silent domain in it four
 * fifths, the next eight ninths. Several levels, because nobody says where the domain that is silent begins: `example.com` of
 * somebody, `co.uk`, or one service of a provider with a million names.
 */
const levelWeights = [1 / 2, 1 / 4, 1 / 8]

/** Half of what is free: one busy client leaves half of the pool. */
const clientWeight = 1

/** Refreshes, audits, probes: nobody waits for them, so they get a fifth at most, and none of it is a client's. */
export const ourselves: Holder = { by: 'ourselves', key: 'ourselves', weight: 1 / 4 }

/** Secret of this process: with it, a name could be made up that shares another domain's count. */
const seed = (Math.random() * 2 ** 32) | 0
const multiplier = (Math.random() * 2 ** 32) | 1

/** Where each label of the name in hand starts. */
const starts = new Uint16Array(128)

/**
 * @param client its address; empty for a question of our own
 * @param frame a message whose qname is folded
 * @param zoneLabels of the zone that the name is in: domains are told apart below it
 */
export function claimFor(client: string, frame: Uint8Array, zoneLabels: number): Claim {
  return [holderFor(client), ...domainsOf(frame, zoneLabels)]
}

/** @param client its address; empty for ourselves */
export function holderFor(client: string): Holder {
  return client === '' ? ourselves : { by: 'client', key: client, weight: clientWeight }
}

/** @returns the client's address; empty for a question of our own */
export function clientIn([asker]: Claim): string {
  return asker?.by === 'client' ? String(asker.key) : ''
}

/** Two thirds of a pool that all groups of upstreams share: one whose servers are dead leaves a third to the others. */
const groupWeight = 2

export function groupHolder(group: string): Holder {
  return { by: 'group', key: `group ${group}`, weight: groupWeight }
}

/** The widest first. Below the root they start with the second label: a top-level domain is nobody's. */
function domainsOf(frame: Uint8Array, zoneLabels: number): Holder[] {
  const labels = findLabels(frame)
  const domains: Holder[] = []
  let hash = seed
  let end = 0
  for (const [level, weight] of levelWeights.entries()) {
    const depth = Math.max(zoneLabels, 1) + level + 1
    if (depth > labels) break
    const from = starts[labels - depth] as number
    // The level before ends where this one's own label does.
    hash = hashOf(frame, from, level === 0 ? (starts[labels] as number) : end, hash)
    end = from
    domains.push({ by: 'domain', key: hash, weight })
  }
  return domains
}

/** @returns the number of labels, without the root's */
function findLabels(frame: Uint8Array): number {
  let labels = 0
  let at = headerBytes
  for (let length = frame[at] as number; length > 0; length = frame[at] as number) {
    starts[labels] = at
    labels += 1
    at += length + 1
  }
  starts[labels] = at
  return labels
}

function hashOf(bytes: Uint8Array, from: number, to: number, start: number): number {
  let hash = start
  for (let at = from; at < to; at++) {
    const product = Math.imul(hash ^ (bytes[at] as number), multiplier)
    hash = product ^ (product >>> 15)
  }
  return hash
}
