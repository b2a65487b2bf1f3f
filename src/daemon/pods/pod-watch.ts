/**
 * Follows the pods of one node: lists them, watches what changes, lists again where the watch cannot go on. An API that is away is asked again after a
 * second, then ever less often, up to once a minute.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { backOffMs } from '../../platform/back-off.ts'
import { member, textOf } from '../../platform/json-member.ts'
import type { ApiClient } from './api-client.ts'
import { ApiRefusal } from './api-client.ts'
import { type PodFacts, PodNames, podFacts } from './pod-names.ts'

/** A page is read in one go: some 200 KB. */
const pageOf = 20
/** The API ends a watch after this; it tells of itself about each minute. */
const watchSeconds = 240
const idleMs = 300_000
const endedMs = 1000
/** HTTP 410: what happened since is no longer known. */
const expired = 410

export interface PodWatchParts {
  readonly api: ApiClient
  readonly nodeName: string
  /** The API does not answer, or refuses: said once for each time. */
  readonly onTrouble: (why: string) => void
  readonly onRead: (pods: number) => void
}

export class PodWatch {
  readonly names = new PodNames()
  private readonly parts: PodWatchParts
  private readonly ended = new AbortController()
  /** Where the watch goes on; empty: the list is read first. */
  private version = ''
  private failures = 0

  constructor(parts: PodWatchParts) {
    this.parts = parts
  }

  /** Goes on until `stop`. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.ended
    while (!signal.aborted) {
      try {
        await this.follow(signal)
      } catch (error) {
        if (signal.aborted) return
        this.names.lost(Date.now())
        await this.rest(error)
      }
    }
  }

  stop(): void {
    this.ended.abort()
  }

  private async follow(signal: AbortSignal): Promise<void> {
    if (this.version === '') await this.list(signal)
    const more = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${this.version}`
    const onOpen = () => {
      this.failures = 0
      this.names.heard()
    }
    const terms = { signal, idleMs, onOpen }
    await this.parts.api.watch(`${this.path}${more}`, terms, (event) => this.take(event))
    // In order; an API that ends each at once is not asked without a pause.
    await this.pause(endedMs)
  }

  private get path(): string {
    return `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${this.parts.nodeName}`)}`
  }

  private async list(signal: AbortSignal): Promise<void> {
    const pods: PodFacts[] = []
    for (let next = ''; ; ) {
      const more = next === '' ? '' : `&continue=${encodeURIComponent(next)}`
      const page = await this.parts.api.get(`${this.path}&limit=${pageOf}${more}`, signal)
      const items: unknown = member(page, 'items')
      if (Array.isArray(items)) pods.push(...items.flatMap((one: unknown) => podFacts(one) ?? []))
      const metadata = member(page, 'metadata')
      this.version = textOf(metadata, 'resourceVersion')
      next = textOf(metadata, 'continue')
      if (next === '') break
    }
    this.names.replaceAll(pods, Date.now())
    this.parts.onRead(pods.length)
    this.failures = 0
  }

  private take(event: unknown): void {
    const object = member(event, 'object')
    const type = textOf(event, 'type')
    if (type === 'ERROR')
      throw new ApiRefusal(Number(member(object, 'code') ?? 0), textOf(object, 'message'))
    this.failures = 0
    const version = textOf(member(object, 'metadata'), 'resourceVersion')
    if (version !== '') this.version = version
    const pod = type === 'BOOKMARK' ? undefined : podFacts(object)
    if (pod === undefined) return
    if (type === 'DELETED') this.names.end(pod.uid, Date.now())
    else this.names.set(pod, Date.now())
  }

  private async rest(error: unknown): Promise<void> {
    if (error instanceof ApiRefusal && error.status === expired) {
      this.version = ''
      return this.pause(endedMs)
    }
    this.failures += 1
    if (this.failures === 1)
      this.parts.onTrouble(error instanceof Error ? error.message : String(error))
    await this.pause(backOffMs(this.failures, Math.random()))
  }

  private async pause(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.ended.signal, ref: false }).catch(() => undefined)
  }
}
