/**
 * A stand-in for the Kubernetes API server: lists and watches the four resources that DNS needs, from memory, as
 * JSON over plain HTTP. Watches resume from a resourceVersion, start with the whole list where the client wants
 * that (sendInitialEvents), and send bookmarks. Selectors are ignored, nothing is authenticated.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type KubeObject, type KubeWorld, type ResourceName, resourceNames } from './kube-world.ts'

interface Resource {
  readonly path: string
  readonly apiVersion: string
  readonly kind: string
}

const resources: Record<ResourceName, Resource> = {
  namespaces: { path: '/api/v1/namespaces', apiVersion: 'v1', kind: 'Namespace' },
  services: { path: '/api/v1/services', apiVersion: 'v1', kind: 'Service' },
  pods: { path: '/api/v1/pods', apiVersion: 'v1', kind: 'Pod' },
  endpointslices: {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
  },
}

/** Events kept for watches that resume; an older resourceVersion gets 410 Gone, as from the real one. */
const historyKept = 2000

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

interface HistoryEvent {
  readonly version: number
  readonly resource: ResourceName
  readonly line: string
}

export class KubeApi {
  /** Every request as `GET /path?query`, oldest first. */
  readonly requests: string[] = []
  readonly #server: Server
  readonly #stored = new Map<ResourceName, Map<string, object>>(
    resourceNames.map((name) => [name, new Map()]),
  )
  readonly #watches = new Map<ServerResponse, ResourceName>()
  #history: HistoryEvent[] = []
  #version = 1

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response))
  }

  static async start(world?: KubeWorld, { host = '127.0.0.1', port = 0 } = {}): Promise<KubeApi> {
    const api = new KubeApi()
    if (world) api.load(world)
    api.#server.listen(port, host)
    await once(api.#server, 'listening')
    return api
  }

  get url(): string {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('not listening')
    return `http://${address.address}:${address.port}`
  }

  /** How many watches are open now. */
  get watchCount(): number {
    return this.#watches.size
  }

  load(world: KubeWorld): void {
    for (const name of resourceNames) {
      for (const object of world.objects[name]) this.put(name, object)
    }
  }

  /** Adds the object, or replaces the one of that name. */
  put(resource: ResourceName, object: KubeObject): void {
    const { kind, apiVersion } = resources[resource]
    const key = keyOf(object.metadata.namespace, object.metadata.name)
    const stored = this.#of(resource)
    const type: EventType = stored.has(key) ? 'MODIFIED' : 'ADDED'
    const resourceVersion = String(this.#version + 1)
    const metadata = { uid: `${resource}/${key}`, ...object.metadata, resourceVersion }
    const whole = { kind, apiVersion, ...object, metadata }
    stored.set(key, whole)
    this.#publish(resource, type, whole)
  }

  delete(resource: ResourceName, name: string, namespace?: string): void {
    const key = keyOf(namespace, name)
    const object = this.#of(resource).get(key)
    if (!object) throw new Error(`no ${resource} ${key}`)
    this.#of(resource).delete(key)
    this.#publish(resource, 'DELETED', object)
  }

  /** Ends all open watches, as an API server does when it restarts or after its time limit. */
  dropWatches(): void {
    for (const response of this.#watches.keys()) response.destroy()
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  #of(resource: ResourceName): Map<string, object> {
    const stored = this.#stored.get(resource)
    if (!stored) throw new Error(`unknown resource ${resource}`)
    return stored
  }

  #publish(resource: ResourceName, type: EventType, object: object): void {
    this.#version += 1
    const line = eventLine(type, object)
    this.#history.push({ version: this.#version, resource, line })
    if (this.#history.length > historyKept) this.#history.shift()
    for (const [response, watched] of this.#watches) {
      if (watched === resource) response.write(line)
    }
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://api')
    this.requests.push(`${request.method} ${request.url}`)
    const name = resourceNames.find((candidate) => resources[candidate].path === url.pathname)
    if (name === undefined) {
      answerJson(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 })
    } else if (url.searchParams.get('watch') === null) {
      this.#list(name, response)
    } else {
      this.#watch(name, url.searchParams, response)
    }
  }

  #list(name: ResourceName, response: ServerResponse): void {
    const { kind, apiVersion } = resources[name]
    answerJson(response, 200, {
      kind: `${kind}List`,
      apiVersion,
      metadata: { resourceVersion: String(this.#version) },
      items: [...this.#of(name).values()],
    })
  }

  #watch(name: ResourceName, parameters: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const wholeList = parameters.get('sendInitialEvents') === 'true'
    const from = Number(parameters.get('resourceVersion') || this.#version)
    const oldest = this.#history[0]?.version ?? 0
    if (!wholeList && from + 1 < oldest) {
      const status = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
      }
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
      return
    }
    if (wholeList) this.#sendInitialEvents(name, response)
    else this.#sendHistory(name, from, response)
    this.#watches.set(response, name)
    response.on('close', () => this.#watches.delete(response))
  }

  #sendInitialEvents(name: ResourceName, response: ServerResponse): void {
    for (const object of this.#of(name).values()) response.write(eventLine('ADDED', object))
    const { kind, apiVersion } = resources[name]
    const metadata = {
      resourceVersion: String(this.#version),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    }
    response.write(eventLine('BOOKMARK', { kind, apiVersion, metadata }))
  }

  #sendHistory(name: ResourceName, from: number, response: ServerResponse): void {
    for (const event of this.#history) {
      if (event.version > from && event.resource === name) response.write(event.line)
    }
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

function eventLine(type: EventType | 'BOOKMARK', object: object): string {
  return `${JSON.stringify({ type, object })}\n`
}

function answerJson(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
