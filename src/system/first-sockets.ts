/**
 * Sockets that the first program of the image has opened in the place of node-cache, before Node was there (first-sockets.c): queries of the
 * start wait in them. Says which there are, and gives them to listeners. Reads from none.
 */
import { closeSync, fstatSync } from 'node:fs'
import { type Endpoint, formatEndpoint } from '../address/endpoint.ts'
import { loadSystemCalls, type SystemCalls } from './system-calls.ts'
import { UnsupportedPlatform } from './system-error.ts'

const variable = 'NEARDNS_FIRST_SOCKETS'

export type Environment = Record<string, string | undefined>

export interface FirstSocket {
  /** As `formatEndpoint` writes it. */
  readonly at: string
  readonly udp: number
  /** Listens. */
  readonly tcp: number
}

/** Leaves the variable where it is: a process that starts itself anew reads it twice, and the descriptors stay open. */
export function firstSocketsIn(environment: Readonly<Environment>): FirstSocket[] {
  const text = environment[variable] ?? ''
  return [...text.matchAll(/([^;=]+)=(\d+),(\d+);/g)]
    .map(([, at = '', udp, tcp]) => ({ at, udp: Number(udp), tcp: Number(tcp) }))
    .filter(({ udp, tcp }) => isSocket(udp) && isSocket(tcp))
}

/** Anybody may set a variable. */
function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false
  }
}

interface Opened {
  readonly fd: number
  readonly address: Endpoint
}

export class FirstSockets {
  private left: readonly FirstSocket[]
  private readonly calls: Pick<SystemCalls, 'duplicate'> | undefined

  /** Takes the variable away, which is not for children. */
  constructor(environment: Environment, load = loadSystemCalls) {
    this.left = firstSocketsIn(environment)
    delete environment[variable]
    this.calls = this.left.length === 0 ? undefined : loadIfPossible(load)
  }

  /** @returns the sockets of an address, which are the caller's then; undefined when there are none */
  take(address: Endpoint): { readonly udp: Opened; readonly tcp: Opened } | undefined {
    const at = formatEndpoint(address)
    const found = this.left.find((one) => one.at === at)
    if (found === undefined) return undefined
    this.left = this.left.filter((one) => one !== found)
    const opened = (fd: number) => ({ fd: this.closedOnExec(fd), address })
    return { udp: opened(found.udp), tcp: opened(found.tcp) }
  }

  /** Closes those that nobody has taken: what comes to them would wait for ever. */
  closeRest(): void {
    for (const { udp, tcp } of this.left) {
      closeSync(udp)
      closeSync(tcp)
    }
    this.left = []
  }

  /** A program that we run would otherwise hold the socket beyond our end. */
  private closedOnExec(fd: number): number {
    if (this.calls === undefined) return fd
    const own = this.calls.duplicate(fd)
    closeSync(fd)
    return own
  }
}

function loadIfPossible(load: () => SystemCalls): SystemCalls | undefined {
  try {
    return load()
  } catch (error) {
    if (error instanceof UnsupportedPlatform) return undefined
    throw error
  }
}
