/**
 * Which pod had which address when: of the pods of one node, as the Kubernetes API tells of them. An address goes from pod to pod, and what is looked
 * up may be minutes old, so each has its last few owners. Pods in the node's own network have none of their own. Pure.
 */

import { member, textOf } from '../../platform/json-member.ts'

/** What is read of a pod. */
export interface PodFacts {
  readonly uid: string
  /** As `namespace/name`. */
  readonly name: string
  readonly addresses: readonly string[]
  /** When the kubelet took it, milliseconds since 1970: before it had an address. 0: unknown. */
  readonly startMs: number
  /** It shares the node's network. */
  readonly isOfNode: boolean
  /** It has ended, and its addresses are free. */
  readonly hasEnded: boolean
}

interface Owner {
  readonly uid: string
  readonly name: string
  readonly fromMs: number
  /** Infinity while it lives. */
  toMs: number
}

const ownersMax = 4
/** The flight recorder may have older queries; they keep their address. */
const keptMs = 3_600_000
/** Longer than this after the last word of the API an address may be another pod's. */
const trustedMs = 60_000

export class PodNames {
  private readonly owners = new Map<string, Owner[]>()
  /** When the API was heard last; Infinity while it is listened to. */
  private heardMs = 0

  /** @param atMs milliseconds since 1970. @returns undefined when no pod is known to have had the address then */
  nameAt(address: string, atMs: number): string | undefined {
    if (atMs > this.heardMs + trustedMs) return undefined
    // The kubelet tells of an end late, when the address may be another's: the younger owner counts.
    return this.owners.get(address)?.findLast(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs)
      ?.name
  }

  /** The addresses of a pod that lives. @param name as `namespace/name` */
  addressesOf(name: string): readonly string[] {
    const isAlive = ({ toMs }: Owner) => toMs === Number.POSITIVE_INFINITY
    // As in `nameAt`: the younger owner counts.
    return [...this.owners].flatMap(([address, list]) =>
      list.findLast(isAlive)?.name === name ? address : [],
    )
  }

  /** A pod is there, or has changed. */
  set(pod: PodFacts, nowMs: number): void {
    if (pod.isOfNode) return
    if (pod.hasEnded) return this.end(pod.uid, nowMs)
    for (const address of pod.addresses) this.own(address, pod)
  }

  /** A pod is gone. */
  end(uid: string, nowMs: number): void {
    for (const list of this.owners.values())
      for (const owner of list) if (owner.uid === uid) owner.toMs = Math.min(owner.toMs, nowMs)
  }

  /** The whole list is known: whoever is not in it is gone. */
  replaceAll(pods: readonly PodFacts[], nowMs: number): void {
    const known = new Set(pods.map(({ uid }) => uid))
    for (const list of this.owners.values())
      for (const { uid } of list) if (!known.has(uid)) this.end(uid, nowMs)
    for (const pod of pods) this.set(pod, nowMs)
    this.forget(nowMs)
  }

  /** The API is listened to from now on. */
  heard(): void {
    this.heardMs = Number.POSITIVE_INFINITY
  }

  /** The API is listened to no more. */
  lost(nowMs: number): void {
    this.heardMs = Math.min(this.heardMs, nowMs)
  }

  private own(address: string, { uid, name, startMs }: PodFacts): void {
    const list = this.owners.get(address) ?? []
    if (list.some((owner) => owner.uid === uid)) return
    const all = [...list, { uid, name, fromMs: startMs, toMs: Number.POSITIVE_INFINITY }]
    this.owners.set(address, all.toSorted((a, b) => a.fromMs - b.fromMs).slice(-ownersMax))
  }

  private forget(nowMs: number): void {
    for (const [address, list] of this.owners)
      if (list.every(({ toMs }) => toMs < nowMs - keptMs)) this.owners.delete(address)
  }
}

/** @param written a Pod of the API (v1). @returns undefined for what is none */
export function podFacts(written: unknown): PodFacts | undefined {
  const metadata = member(written, 'metadata')
  const [spec, status] = [member(written, 'spec'), member(written, 'status')]
  const [name, namespace] = [textOf(metadata, 'name'), textOf(metadata, 'namespace')]
  const uid = textOf(metadata, 'uid')
  if (name === '' || namespace === '' || uid === '') return undefined
  const phase = textOf(status, 'phase')
  const startMs = Date.parse(textOf(status, 'startTime'))
  const list: unknown = member(status, 'podIPs')
  const addresses = Array.isArray(list) ? list.map((one: unknown) => textOf(one, 'ip')) : []
  return {
    ...{ uid, name: `${namespace}/${name}`, startMs: Number.isNaN(startMs) ? 0 : startMs },
    addresses: [...new Set([...addresses, textOf(status, 'podIP')])].filter((ip) => ip !== ''),
    isOfNode: member(spec, 'hostNetwork') === true,
    hasEnded: phase === 'Succeeded' || phase === 'Failed',
  }
}
