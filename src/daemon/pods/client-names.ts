/** Names for clients' addresses: `node` for the node itself, the pod's where `admin.podNames` is on and it is known, otherwise none. */
import type { Log } from '../../observe/log.ts'
import { ApiClient, type ApiPlace } from './api-client.ts'
import { PodWatch } from './pod-watch.ts'

export interface ClientNamesParts {
  readonly log: Log
  /** Undefined outside of a cluster. */
  readonly place: ApiPlace | undefined
  readonly nodeName: string | undefined
  /** Addresses of this host's interfaces. */
  readonly localAddresses: () => readonly string[]
}

/** An address, and when it asked, milliseconds since 1970. */
export type Client = readonly [address: string, atMs: number]
/** In the order of the addresses asked for. */
export type Names = readonly (string | undefined)[]

/** @returns in the order of the clients; empty while nobody names them */
export type NameClients = (clients: readonly Client[]) => Promise<Names>

/** @returns the present addresses of a client that has this name, none when nobody has it; undefined while nobody is named */
export type FindClient = (name: string) => Promise<readonly string[] | undefined>

const ofNode = 'node'
/** An API that comes and goes is told of once in this time. */
const linesEveryMs = 60_000

export class ClientNames {
  private readonly parts: ClientNamesParts
  private watch: PodWatch | undefined

  constructor(parts: ClientNamesParts) {
    this.parts = parts
  }

  get isOn(): boolean {
    return this.watch !== undefined
  }

  /** Follows the setting. */
  follow(isWanted: boolean): void {
    if (isWanted === this.isOn) return
    this.watch?.stop()
    this.watch = isWanted ? this.begin() : undefined
  }

  /** @returns undefined while nobody is named here */
  namesOf(clients: readonly Client[]): Names | undefined {
    const { watch } = this
    if (watch === undefined) return undefined
    const own = new Set(this.parts.localAddresses())
    return clients.map(([address, atMs]) =>
      own.has(address) ? ofNode : watch.names.nameAt(address, atMs),
    )
  }

  /** The present addresses of a client, none when nobody has the name. @returns undefined while nobody is named here */
  addressesOf(name: string): readonly string[] | undefined {
    if (this.watch === undefined) return undefined
    return name === ofNode ? this.parts.localAddresses() : this.watch.names.addressesOf(name)
  }

  private begin(): PodWatch | undefined {
    const { log, place, nodeName } = this.parts
    if (place === undefined || nodeName === undefined) {
      const missing = place === undefined ? 'KUBERNETES_SERVICE_HOST' : 'NODE_NAME'
      log.warn({ missing }, 'pods: clients are not named, the environment lacks a variable')
      return undefined
    }
    const watch = new PodWatch({
      ...{ api: new ApiClient(place), nodeName },
      onTrouble: (why) => {
        if (log.limited('pods', linesEveryMs) !== undefined)
          log.warn(
            { why, api: place.url.origin },
            'pods: the API tells nothing, clients are addresses',
          )
      },
      onRead: (pods) => log.debug({ pods, nodeName }, 'pods: the list is read'),
    })
    void watch.run()
    return watch
  }
}
