/**
 * For whom a question takes its places: the client that asked, and the domains that its name lies in. A client is one address,
 * whatever ports it uses, and an IPv6 address is not cut to its prefix: a node's pods have one address each out of one /64, so
 * that a share by prefix would be one share for the whole node. No client can take another address: the node drops packets with
 * a source that is not the pod's. Pure.
 */
import { headerBytes } from '../../wire/constants.ts'
import { LatestMap } from '../cache/latest-map.ts'
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
export const ourselves: Holder = { by: 'ourselves', key: secret(), weight: 1 / 4 }

/** Secrets of this process: with them, a name could be made up that shares another domain's count. */
const seeds = { domain: secret(), client: secret(), group: secret() }
const multiplier = secret() | 1

/** Where each label of the name in hand starts. */
const starts = new Uint16Array(128)

/** Clients and groups that come again and again. Whoever is forgotten is made anew, with the same key. */
const clients = new LatestMap<Holder>(4096)
const groups = new LatestMap<Holder>(1024)

/** One level of a name: made for each question, so that it holds nothing but what differs. */
class Domain implements Holder {
  readonly key: number
  private readonly level: number

  constructor(key: number, level: number) {
    this.key = key
    this.level = level
  }

  get by(): 'domain' {
    return 'domain'
  }

  get weight(): number {
    return levelWeights[this.level] as number
  }
}

/**
 * The client, then the domains, the widest first. Below the root they start with the second label: a top-level domain is nobody's.
 * @param client its address; empty for a question of our own
 * @param frame a message whose qname is folded
 * @param zoneLabels of the zone that the name is in: domains are told apart below it
 */
export function claimFor(client: string, frame: Uint8Array, zoneLabels: number): Claim {
  const holder = holderFor(client)
  const labels = findLabels(frame)
  const widest = labels - Math.max(zoneLabels, 1) - 1
  if (widest < 0) return [holder]
  const end = starts[labels] as number
  const first = new Domain(hashOf(frame, starts[widest] as number, end, seeds.domain), 0)
  if (widest < 1) return [holder, first]
  const second = domainBelow(frame, widest - 1, first, 1)
  // Arrays that are written out are as long as they need to be.
  if (widest < 2) return [holder, first, second]
  return [holder, first, second, domainBelow(frame, widest - 2, second, 2)]
}

/** @param label the domain's own; its key goes on from that of the level above */
function domainBelow(frame: Uint8Array, label: number, above: Domain, level: number): Domain {
  const end = starts[label + 1] as number
  return new Domain(hashOf(frame, starts[label] as number, end, above.key), level)
}

/** @param client its address; empty for ourselves */
export function holderFor(client: string): Holder {
  if (client === '') return ourselves
  const known = clients.get(client)
  if (known !== undefined) return known
  const holder: Holder = {
    by: 'client',
    key: keyOf(client, seeds.client),
    weight: clientWeight,
    client,
  }
  clients.set(client, holder)
  return holder
}

/** @returns the client's address; empty for a question of our own */
export function clientIn([asker]: Claim): string {
  return asker?.client ?? ''
}

/** Two thirds of a pool that all groups of upstreams share: one whose servers are dead leaves a third to the others. */
const groupWeight = 2

export function groupHolder(group: string): Holder {
  const known = groups.get(group)
  if (known !== undefined) return known
  const holder: Holder = { by: 'group', key: keyOf(group, seeds.group), weight: groupWeight }
  groups.set(group, holder)
  return holder
}

function keyOf(text: string, seed: number): number {
  const bytes = Buffer.from(text, 'latin1')
  return hashOf(bytes, 0, bytes.length, seed)
}

function secret(): number {
  return (Math.random() * 2 ** 32) | 0
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
